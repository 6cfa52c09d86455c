-- Counts the keys in place of the words: how many records each has. Records without a key drop out.
function handle(message)
  return message.key and { message.key }
end
