package logwatch

import "context"

// batchSize is how many lines are handed over at once: enough that handing over
// costs nothing beside the lines, few enough to stay in the processor's cache.
const batchSize = 512

// batches is how many of them are under way: one is filled, one is read, and a
// third lets neither side wait for the other.
const batches = 3

// HistoryMatches reads a log as [History] does, and calls fn for each line that a
// rule recognises, in the same order, which is what [Grouper.AddMatch] wants. The
// lines are read and recognised beside fn, on a processor of their own.
func HistoryMatches(ctx context.Context, path string, o HistoryOptions, fn func(Match) error) ([]HistoryFile, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	full, empty := make(chan []Match, batches), make(chan []Match, batches)
	for range batches {
		empty <- make([]Match, 0, batchSize)
	}
	type outcome struct {
		files []HistoryFile
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		batch := <-empty
		files, err := History(ctx, path, o, func(e Entry) error {
			m, ok := Classify(e)
			if !ok {
				return nil
			}
			if batch = append(batch, m); len(batch) < batchSize {
				return nil
			}
			full <- batch
			batch = <-empty
			return nil
		})
		full <- batch
		close(full)
		done <- outcome{files, err}
	}()
	var stopped error
	for batch := range full {
		for i := 0; i < len(batch) && stopped == nil; i++ {
			if stopped = fn(batch[i]); stopped != nil {
				cancel() // and what is under way is thrown away
			}
		}
		clear(batch)
		empty <- batch[:0]
	}
	end := <-done
	if stopped != nil {
		return end.files, stopped
	}
	return end.files, end.err
}
