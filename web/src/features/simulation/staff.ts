/** Somebody in a simulation. */
export interface Person {
  id: string;
  name: string;
  there: boolean;
  capacity: number;
  /** As it is now, to tell what was changed; null: they do not stand in the queue. */
  now: number | null;
}

/** A user as a simulation takes them; nobody, when there is no such user. */
export function person(user: { id: string; name: string; capacity: number } | undefined, present: boolean): Person[] {
  return user
    ? [{ id: user.id, name: user.name, there: true, capacity: user.capacity, now: present ? user.capacity : null }]
    : [];
}

/** What the server is told of them: who changed. */
export const changes = (staff: Person[]): { operator_id: string; capacity?: number; away?: boolean }[] =>
  staff
    .filter((p) => !p.there || p.now === null || p.capacity !== p.now)
    .map((p) => (p.there ? { operator_id: p.id, capacity: p.capacity } : { operator_id: p.id, away: true }));
