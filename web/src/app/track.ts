import { createSubscriber } from 'svelte/reactivity';
import type { Signal } from '../core/signal';

const subscribers = new WeakMap<object, () => void>();

/** Makes the surrounding effect, derived value or template run again when the signal fires. */
export function track<T>(signal: Signal<T>): void {
  let subscribe = subscribers.get(signal);
  if (!subscribe) {
    subscribe = createSubscriber((update) => signal.subscribe(() => update()));
    subscribers.set(signal, subscribe);
  }
  subscribe();
}
