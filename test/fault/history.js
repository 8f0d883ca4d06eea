import { createHash } from 'node:crypto';
/**
 * What a client knows of its keys: the last change that was acknowledged, and the changes that were on their way when the
 * connection was lost, any of which may or may not have happened. Each key is changed by one client at a time.
 */
export class History {
    #acknowledged = new Map();
    #unsettled = new Map();
    begin(key, content) {
        const unsettled = this.#unsettled.get(key) ?? new Set();
        unsettled.add(content);
        this.#unsettled.set(key, unsettled);
    }
    /** The server said yes: from now on nothing older may be seen. */
    acknowledge(key, content) {
        this.#acknowledged.set(key, content);
        this.#unsettled.delete(key);
    }
    /** What was seen after a crash: it settles what was unsettled. */
    settle(key, content) {
        this.acknowledge(key, content);
    }
    keys() {
        return [...new Set([...this.#acknowledged.keys(), ...this.#unsettled.keys()])];
    }
    allowed(key) {
        return [...new Set([this.#acknowledged.get(key), ...(this.#unsettled.get(key) ?? [])])];
    }
}
export function digest(bytes) {
    return createHash('md5').update(bytes).digest('hex');
}
