package diagnose

import (
	"context"
	"sync"
	"time"

	"xrdpfix/xrdpconf"
)

// collectAround looks at what surrounds the daemon while the wire is being asked:
// it writes other facts than collectWire does, and waits for nobody. Call the
// returned function before the facts are used.
func collectAround(ctx context.Context, env Env, f *Facts) (wait func()) {
	var wg sync.WaitGroup
	if env.Recent == nil {
		f.Log.Recent = Skipped[Recent]("offline")
	} else {
		wg.Go(func() {
			f.Log.Recent = ask(func() (Recent, error) { return env.Recent(ctx, f.Log.Path, RecentDays) })
		})
	}
	if env.Sesman == nil {
		f.SesmanReach = Skipped[SesmanReach]("offline")
	} else {
		version, _ := xrdpconf.ParseVersion(f.Package.Value.Version)
		sesman := xrdpconf.ReadSessionManager(f.SesmanFile(), nil)
		if !f.Package.Ok() || !f.Sesman.Ok() {
			f.SesmanReach = Skipped[SesmanReach]("where xrdp looks for xrdp-sesman is not known")
		} else {
			wg.Go(func() {
				f.SesmanReach = ask(func() (SesmanReach, error) { return env.Sesman(ctx, sesman, version) })
			})
		}
	}
	return wg.Wait
}

// aroundPatience bounds the looks that ask other programs.
const aroundPatience = 2 * time.Second
