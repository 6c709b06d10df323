/** Arrivals from a CSV file, as `switchboard simulate --arrivals` reads them; `line` and `responsible` mean nothing here. */
export interface Arrival {
  at: string;
  channel_kind?: string;
  language?: string;
  priority?: number;
  handle_secs?: number;
  reply_secs?: number;
  patience_secs?: number;
}

/** A row that cannot be: its line in the file, and which word is wrong. */
export interface WrongRow {
  line: number;
  column: string;
}

const COLUMNS = [
  'at',
  'channel_kind',
  'language',
  'priority',
  'handle_secs',
  'patience_secs',
  'reply_secs',
  'responsible',
  'line',
];

const cells = (row: string): string[] => row.split(',').map((cell) => cell.trim().replace(/^"|"$/g, '').trim());

export function parseArrivals(text: string): { arrivals: Arrival[]; wrong: WrongRow[] } {
  const rows = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((row, index) => ({ row, line: index + 1 }))
    .filter(({ row }) => row.trim() !== '');
  const first = rows.shift();
  if (!first) return { arrivals: [], wrong: [{ line: 1, column: 'at' }] };
  const columns = cells(first.row).map((name) => name.toLowerCase());
  const wrong: WrongRow[] = columns
    .filter((name) => !COLUMNS.includes(name))
    .map((column) => ({ line: first.line, column }));
  if (!columns.includes('at')) wrong.push({ line: first.line, column: 'at' });
  if (wrong.length) return { arrivals: [], wrong };
  const arrivals: Arrival[] = [];
  for (const { row, line } of rows) {
    const values = cells(row);
    const value = (name: string) => values[columns.indexOf(name)] ?? '';
    const bad: string[] = [];
    const secs = (name: string): number | undefined => {
      const cell = columns.includes(name) ? value(name) : '';
      if (cell === '') return undefined;
      const number = Number(cell);
      if (!(number >= 0)) bad.push(name);
      return number;
    };
    const at = new Date(value('at'));
    if (Number.isNaN(at.getTime())) bad.push('at');
    const [priority, handle, reply, patience] = ['priority', 'handle_secs', 'reply_secs', 'patience_secs'].map(secs);
    if (priority !== undefined && !Number.isInteger(priority)) bad.push('priority');
    const kind = columns.includes('channel_kind') ? value('channel_kind') : '';
    const language = columns.includes('language') ? value('language') : '';
    if (bad[0] !== undefined) wrong.push({ line, column: bad[0] });
    else
      arrivals.push({
        at: at.toISOString(),
        ...(kind ? { channel_kind: kind } : {}),
        ...(language ? { language } : {}),
        ...(priority === undefined ? {} : { priority }),
        ...(handle === undefined ? {} : { handle_secs: handle }),
        ...(reply === undefined ? {} : { reply_secs: reply }),
        ...(patience === undefined ? {} : { patience_secs: patience }),
      });
  }
  return { arrivals, wrong };
}

/** A file to begin with: a busy hour of the day given. */
export function sampleArrivals(day: Date): string {
  const begin = new Date(day);
  begin.setHours(9, 0, 0, 0);
  const rows = [0, 2, 3, 7, 8, 9, 15, 21, 22, 24, 31, 33, 40, 41, 42, 50, 55, 58].map((minute, index) => {
    const at = new Date(begin.getTime() + minute * 60_000).toISOString();
    const kind = index % 4 === 3 ? 'webform' : 'webchat';
    return `${at},${kind},${index % 3 === 0 ? 'ru' : 'en'},${index === 7 ? 1 : 0},${180 + (index % 5) * 120},${index % 2 ? 300 : ''}`;
  });
  return ['at,channel_kind,language,priority,handle_secs,patience_secs', ...rows, ''].join('\n');
}

/** From the morning of one day to the end of another, in the browser's time. */
export function period(from: string, to: string): { from: string; to: string } | null {
  const begin = new Date(`${from}T00:00:00`);
  const end = new Date(`${to}T00:00:00`);
  if (Number.isNaN(begin.getTime()) || Number.isNaN(end.getTime()) || end < begin) return null;
  end.setDate(end.getDate() + 1);
  return { from: begin.toISOString(), to: end.toISOString() };
}

/** A date as a date field holds it. */
export function dateOf(day: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}
