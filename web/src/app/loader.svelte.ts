import { api } from '../api/client';
import type { Page } from '../api/types';

/** One thing fetched from the server, with its states. A later call makes the answers of earlier ones void. */
export class Loader<T> {
  data = $state.raw<T | null>(null);
  error = $state.raw<unknown>(null);
  loading = $state(false);
  #run = 0;

  constructor(private readonly fetcher: () => Promise<T>) {}

  async load(): Promise<void> {
    const run = ++this.#run;
    this.loading = true;
    this.error = null;
    try {
      const data = await this.fetcher();
      if (run === this.#run) this.data = data;
    } catch (error) {
      if (run === this.#run) this.error = error;
    } finally {
      if (run === this.#run) this.loading = false;
    }
  }
}

/** A keyset-paged list. */
export class Paged<T> {
  items = $state.raw<T[]>([]);
  error = $state.raw<unknown>(null);
  loading = $state(false);
  loaded = $state(false);
  cursor = $state.raw<string | null>(null);
  #run = 0;

  constructor(
    private readonly path: () => string,
    private readonly query: () => Record<string, string | undefined> = () => ({}),
    private readonly limit = 50,
  ) {}

  async load(append = false): Promise<void> {
    const run = ++this.#run;
    this.loading = true;
    this.error = null;
    try {
      const page = await api.get<Page<T>>(this.path(), {
        ...this.query(),
        limit: this.limit,
        cursor: append ? this.cursor : undefined,
      });
      if (run !== this.#run) return;
      this.items = append ? [...this.items, ...page.items] : page.items;
      this.cursor = page.next_cursor ?? null;
      this.loaded = true;
    } catch (error) {
      if (run === this.#run) this.error = error;
    } finally {
      if (run === this.#run) this.loading = false;
    }
  }

  replace(match: (item: T) => boolean, next: T | null): void {
    this.items = next === null ? this.items.filter((i) => !match(i)) : this.items.map((i) => (match(i) ? next : i));
  }
}

/** Every page of a short list (lines, teams, channels). */
export async function fetchAll<T>(path: string): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await api.get<Page<T>>(path, { limit: 200, cursor });
    all.push(...page.items);
    cursor = page.next_cursor ?? null;
  } while (cursor && all.length < 5_000);
  return all;
}
