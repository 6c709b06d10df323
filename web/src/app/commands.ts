import type { Command } from '../core/keys';
import { Signal } from '../core/signal';

/** Commands from the keyboard and the palette; whichever screen is open answers to those it knows. */
export const commands = new Signal<Command>();

export function onCommand(handlers: Partial<Record<Command, () => void>>): () => void {
  return commands.subscribe((c) => handlers[c]?.());
}
