// Moves the leader of every partition of a topic to another of its replicas, again and again.
//
//   java -cp "$(scripts/kafka classpath)" tests/tools/MoveLeaders.java BOOTSTRAP TOPIC TIMES PAUSE_MS
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;

public class MoveLeaders {
  public static void main(String[] arguments) throws Exception {
    final String topic = arguments[1];
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", arguments[0]))) {
      int moved = 0;
      for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
        final Map<TopicPartition, Optional<NewPartitionReassignment>> orders = new HashMap<>();
        final Map<Integer, Integer> before = leaders(admin, topic);
        for (TopicPartitionInfo partition : partitions(admin, topic)) {
          final List<Integer> order = new ArrayList<>();
          for (Node replica : partition.replicas()) {
            order.add(replica.id());
          }
          Collections.rotate(order, 1);
          orders.put(new TopicPartition(topic, partition.partition()),
              Optional.of(new NewPartitionReassignment(order)));
        }
        admin.alterPartitionReassignments(orders).all().get();
        admin.electLeaders(ElectionType.PREFERRED, orders.keySet()).partitions().get();
        Thread.sleep(Long.parseLong(arguments[3]));
        moved += before.equals(leaders(admin, topic)) ? 0 : 1;
      }
      System.out.println(moved);
    }
  }

  private static List<TopicPartitionInfo> partitions(Admin admin, String topic) throws Exception {
    return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions();
  }

  private static Map<Integer, Integer> leaders(Admin admin, String topic) throws Exception {
    final Map<Integer, Integer> leaders = new HashMap<>();
    for (TopicPartitionInfo partition : partitions(admin, topic)) {
      leaders.put(partition.partition(), partition.leader() == null ? -1 : partition.leader().id());
    }
    return leaders;
  }
}
