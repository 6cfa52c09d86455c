-- Records that hold texts, each behind its length in four bytes, the highest first. What is cut off
-- raises an error: --on-invalid says what becomes of such a record.
function decode(bytes)
  local texts, at = {}, 1
  while at <= #bytes do
    texts[#texts + 1], at = string.unpack(">s4", bytes, at)
  end
  return table.concat(texts, " ")
end
