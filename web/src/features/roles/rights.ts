/** The grid of a role: how far each action reaches, by object. The server holds the rule; this keeps the form to it. */
export type Reach = 'none' | 'own' | 'lines' | 'team' | 'all';
export type Grid = Record<string, Record<string, Reach>>;

export const REACHES: Reach[] = ['none', 'own', 'lines', 'team', 'all'];
export const ACTIONS = ['view', 'edit', 'delete', 'export'] as const;
export const OBJECTS = [
  'conversation',
  'contact',
  'company',
  'lead',
  'deal',
  'task',
  'call',
  'submission',
  'report',
] as const;

const far = (reach: Reach | undefined) => REACHES.indexOf(reach ?? 'none');

/** What may be chosen: nothing goes further than the sight. */
export function choices(grid: Grid, object: string, action: string): Reach[] {
  return action === 'view' ? REACHES : REACHES.slice(0, far(grid[object]?.view) + 1);
}

/** The grid with one right changed. Sight that shrinks takes the other actions along. */
export function given(grid: Grid, object: string, action: string, reach: Reach): Grid {
  const actions = { ...grid[object], [action]: reach };
  const view = far(actions.view);
  for (const [other, has] of Object.entries(actions)) if (far(has) > view) actions[other] = REACHES[view] ?? 'none';
  return { ...grid, [object]: actions };
}

/** A whole column the same, as far as the sight of each object lets it. */
export function column(grid: Grid, action: string, reach: Reach): Grid {
  return Object.keys(grid)
    .filter((object) => grid[object]?.[action] !== undefined)
    .reduce((made, object) => {
      const may = choices(made, object, action);
      return given(made, object, action, may.includes(reach) ? reach : (may.at(-1) ?? 'none'));
    }, grid);
}
