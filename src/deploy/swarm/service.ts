/** What a service that owns a volume needs from Swarm. Two tasks on one write-ahead log would damage it. */
export function stateful(memory: string, cpus: string): string {
  return `deploy:
  replicas: 1
  # One task needs no virtual address: Swarm's cuts connections that were idle for 15 minutes.
  endpoint_mode: dnsrr
  placement:
    # Its volume is on one node: docker node update --label-add storage=true NODE
    constraints: [node.labels.storage == true]
  resources:
    limits:
      memory: ${memory}
      cpus: "${cpus}"
${policies}`;
}

const policies = `  restart_policy:
    # Swarm has no depends_on: a program that starts before the buckets exist exits and is started again.
    condition: any
    delay: 5s
  update_config:
    # The old task stops before the new one starts: both have the same volume.
    order: stop-first
    failure_action: rollback
    monitor: 90s
  rollback_config:
    order: stop-first
    monitor: 90s`;

/** Names of Swarm secrets end in a version, since a secret cannot be changed: a new key is a new secret. */
export const secretName = (variable: string, name: string): string => `\${${variable}:-${name}_v1}`;
