package host

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xrdpfix/diagnose"
	"xrdpfix/logwatch"
)

const (
	// maxHistory bounds what is read of the log and its predecessors for the
	// summary of clients, in bytes; what is packed counts tenfold.
	maxHistory = 4 << 20
	packedSize = 10
	// maxEntries is the same for the journal, in entries: journalctl writes some
	// 100,000 a second.
	maxEntries = 20_000
	// maxClients bounds the memory that a log full of forged addresses can cost.
	maxClients = 10_000
)

// recent sums up the clients of the last days.
func (m *Machine) recent(ctx context.Context, path string, o diagnose.RecentOptions) (diagnose.Recent, error) {
	since := m.cfg.Now().AddDate(0, 0, -o.Days)
	log := Log{m: m, path: path}
	if !m.keepsFile(path) {
		var err error
		if log, err = m.Log(false); err != nil {
			return diagnose.Recent{}, err
		}
		if !o.Whole {
			log.last = maxEntries
		}
	} else if !o.Whole {
		// Where no line tells its time, the number of bytes is the bound.
		since, log.tail = historyStart(m.inRoot(path), since, maxHistory), 2*maxHistory
	}
	r := newRecentClients()
	var g logwatch.Grouper
	var filter logwatch.OwnFilter
	first, lines := time.Time{}, 0
	_, err := log.History(ctx, since, time.Time{}, func(line logwatch.Match) error {
		if lines++; lines == 1 {
			first = line.Entry.Time
		}
		g.AddMatch(line)
		for _, c := range g.Done() {
			r.add(filter.Add(c))
		}
		return ctx.Err()
	})
	for _, c := range g.Flush() {
		r.add(filter.Add(c))
	}
	r.add(filter.Flush())
	if log.last > 0 && lines >= log.last/2 {
		since = first // there is more, which was not read
	}
	return r.summary(o, since), err
}

// recentClients counts what clients met.
type recentClients struct {
	sum     diagnose.Recent
	clients map[string]*diagnose.ClientSeen
	hung    map[string]bool // arrived, and asked for nothing
	ways    wayCounter
}

func newRecentClients() *recentClients {
	return &recentClients{
		sum:     diagnose.Recent{Causes: map[string]int{}},
		clients: map[string]*diagnose.ClientSeen{}, hung: map[string]bool{}, ways: newWayCounter(),
	}
}

func (r *recentClients) add(list []logwatch.Judged) {
	for _, j := range list {
		o := j.Outcome
		if o.Kind == logwatch.ConnectedTLS {
			r.ways.offered(j.TLSVersion, j.Start) // to one of our own probes too
		}
		noise := o.Own || o.Kind == logwatch.HungUp || o.Kind == logwatch.Unknown && o.Cause == ""
		if !j.Client.IsValid() {
			continue
		}
		addr := j.Client.Addr().String()
		if noise || !j.Established && j.Client.Addr().IsLoopback() {
			if !o.Own && len(r.hung) < maxClients {
				r.hung[addr] = true
			}
			continue
		}
		c := r.clients[addr]
		if c == nil {
			if len(r.clients) >= maxClients {
				continue
			}
			c = &diagnose.ClientSeen{Addr: addr}
			r.clients[addr] = c
		}
		r.sum.Connections++
		c.Connections++
		if j.ClientName != "" {
			c.Name = j.ClientName
		}
		if j.End.After(c.Last) {
			c.Last = j.End.UTC()
		}
		r.count(c, j)
	}
}

func (r *recentClients) count(c *diagnose.ClientSeen, j logwatch.Judged) {
	switch j.Outcome.Kind {
	case logwatch.ConnectedTLS:
		c.TLS, c.Failures = max(c.TLS, j.TLSVersion), nil
		r.ways.add(c.Addr, j)
	case logwatch.ConnectedClassic:
		c.LastClassic, c.Failures = j.End.UTC(), nil
		r.ways.add(c.Addr, j)
	case logwatch.Failed:
		r.sum.Causes[j.Outcome.Cause]++
		if len(c.Failures) == diagnose.MaxFailures {
			c.Failures = slices.Delete(c.Failures, 0, 1)
		}
		c.Failures = append(c.Failures, diagnose.ClientFailure{
			Time: j.Start.UTC(), Cause: diagnose.Code(j.Outcome.Cause), Likely: j.Outcome.Likely, Asked: j.Requested,
		})
	}
}

// summary puts the clients in order, the one seen last first.
func (r *recentClients) summary(o diagnose.RecentOptions, since time.Time) diagnose.Recent {
	sum := r.sum
	sum.Days, sum.Since, sum.Clients = o.Days, since.UTC(), len(r.clients)
	keep := diagnose.MaxClients
	if o.Whole {
		keep = maxClients
	}
	for _, c := range r.clients {
		c.Ways = r.ways.of(c.Addr)
		switch {
		case c.TLS != "":
			sum.TLS++
		case !c.LastClassic.IsZero():
			sum.Classic++
		}
		sum.ByClient = append(sum.ByClient, *c)
	}
	slices.SortFunc(sum.ByClient, func(a, b diagnose.ClientSeen) int {
		// Where some are left out, those that never came in go first.
		if len(sum.ByClient) > keep && (len(a.Ways) > 0) != (len(b.Ways) > 0) {
			return len(b.Ways) - len(a.Ways)
		}
		if d := b.Last.Compare(a.Last); d != 0 {
			return d
		}
		return strings.Compare(a.Addr, b.Addr)
	})
	for addr := range r.hung {
		if r.clients[addr] == nil {
			sum.HungUp = append(sum.HungUp, addr)
		}
	}
	slices.Sort(sum.HungUp)
	if n := len(sum.ByClient); n > keep {
		sum.ByClient, sum.Left = slices.Clip(sum.ByClient[:keep]), n-keep
	}
	if n := len(sum.HungUp); n > diagnose.MaxClients {
		sum.HungUp = slices.Clip(sum.HungUp[:diagnose.MaxClients])
		sum.Left += n - diagnose.MaxClients
	}
	return sum
}

// historyStart moves since on until not much more than limit bytes of the log
// and its predecessors are younger: to the last write of the file that would be
// too much, or, where that is the log itself, to the time of the line limit
// bytes before its end.
func historyStart(path string, since time.Time, limit int64) time.Time {
	names, _ := filepath.Glob(globQuote(path) + "?*")
	type file struct {
		size  int64
		mtime time.Time
	}
	var older []file
	for _, n := range names {
		if info, err := os.Lstat(n); err == nil && info.Mode().IsRegular() {
			f := file{info.Size(), info.ModTime()}
			if ext := filepath.Ext(n); ext == ".gz" || ext == ".xz" || ext == ".bz2" || ext == ".zst" {
				f.size *= packedSize
			}
			older = append(older, f)
		}
	}
	slices.SortFunc(older, func(a, b file) int { return b.mtime.Compare(a.mtime) })
	info, err := os.Stat(path)
	if err == nil && info.Size() > limit {
		if t, ok := timeAt(path, info.Size()-limit); ok && t.After(since) {
			return t
		}
		return since
	}
	left := limit
	if err == nil {
		left -= info.Size()
	}
	for _, f := range older {
		if left -= f.size; left < 0 {
			if f.mtime.After(since) {
				return f.mtime.Add(time.Nanosecond) // that file is left out
			}
			break
		}
	}
	return since
}

// globQuote takes the meaning from characters of a pattern.
func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// timeAt is the time of the first line that begins behind a place of a file.
func timeAt(path string, offset int64) (time.Time, bool) {
	const piece = 64 << 10
	f, err := openRegular("", path)
	if err != nil {
		return time.Time{}, false
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, piece)
	n, _ := f.ReadAt(b, offset)
	lines := strings.Split(string(b[:n]), "\n")
	for _, line := range lines[min(1, len(lines)):] {
		if e, ok := logwatch.ParseLine(line, time.Local); ok && !e.Time.IsZero() {
			return e.Time, true
		}
	}
	return time.Time{}, false
}
