/** The defects that fuzzing has to find: those of all targets. */
import type { PlantedDefect } from './target.ts'
import { TARGET_NAMES, targetOf } from './targets.ts'

export interface DefectOfTarget extends PlantedDefect {
  readonly target: string
}

/** By name. */
export const PLANTED_DEFECTS: ReadonlyMap<string, DefectOfTarget> = new Map(
  TARGET_NAMES.flatMap((target) =>
    Object.entries(targetOf(target).planted).map(([name, defect]) => [name, { ...defect, target }] as const),
  ),
)

export const DEFECT_NAMES: readonly string[] = Array.from(PLANTED_DEFECTS.keys())
