import { api } from '../../api/client';
import type { LossReason, Page, Pipeline, Stage } from '../../api/types';
import { fetchAll } from '../../app/loader.svelte';

/** Pipelines and reasons: few, asked for once, and again when an admin has changed them. */
let pipelines = $state.raw<Pipeline[]>([]);
let reasons = $state.raw<LossReason[] | null>(null);
let loading: Promise<void> | null = null;

export const knownPipelines = (): Pipeline[] => pipelines;
export const pipelineOf = (id: string | null | undefined): Pipeline | undefined => pipelines.find((p) => p.id === id);

export function stageOf(pipeline: string, stage: string): Stage | undefined {
  return pipelineOf(pipeline)?.stages.find((s) => s.id === stage);
}

export function loadPipelines(again = false): Promise<void> {
  if (again || !loading)
    loading = fetchAll<Pipeline>('/pipelines').then(
      (all) => void (pipelines = all),
      (error: unknown) => {
        loading = null;
        throw error;
      },
    );
  return loading;
}

export async function lossReasons(): Promise<LossReason[]> {
  reasons ??= (await api.get<Page<LossReason>>('/loss-reasons')).items;
  return reasons;
}

export function setLossReasons(next: LossReason[]): void {
  reasons = next;
}
