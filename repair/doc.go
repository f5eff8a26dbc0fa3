// Package repair turns findings into a plan, the plan into effects, and the
// effects into a verdict that rests on evidence, or puts everything back.
//
// [New] is pure: it plans from facts, findings and the administrator's
// [Policy]. [Runner.Execute] writes a journal first, changes only what the plan
// names, lets an [Observer] look, and [Judge]s what it saw; everything but a
// confirmed verdict is rolled back. Effects go through [System] and [Store]
// only.
package repair
