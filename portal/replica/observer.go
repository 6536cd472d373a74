package replica

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// An Observer gets the state of a Node, one value at a time, every Config.ObserveEvery. The
// names are the constants that begin with Observed. region is the Region that the value is
// about: the Node's own, or another. Unknown values are left out, so alarms should go off
// for a missing value, too. OPERATING.md says when to act on each value.
//
// It is called by one goroutine, which no request waits for. Close waits for it, so it
// should return soon.
type Observer interface {
	Observe(name, region string, value float64)
}

// Values about the Node's own Region.
const (
	// ObservedReady is 1 if the Region may serve (Ready), else 0.
	ObservedReady = "ready"
	// ObservedServerAnswers is 1 if the Region's own NATS server answered all
	// requests of this observation, else 0.
	ObservedServerAnswers = "server_answers"
	// ObservedWrites and ObservedWritesFailed are how many writes to the Region's own
	// streams were acknowledged since the last time, and how many were not. One that
	// conflicted with another Node's is neither.
	ObservedWrites       = "writes"
	ObservedWritesFailed = "writes_failed"
	// ObservedWriteSeconds is the longest of these writes, in seconds.
	ObservedWriteSeconds = "write_seconds"
	// ObservedDirBytes is the size of the files below Config.Dir, in bytes, and
	// ObservedDiskLeftBytes the space that their file system has left for this process.
	// Neither exists with Config.URL.
	ObservedDirBytes      = "dir_bytes"
	ObservedDiskLeftBytes = "disk_left_bytes"
)

// Values about every Region, including the Node's own.
const (
	// ObservedSessions is the number of the Region's sessions, as far as this one knows.
	// Sessions that expired in the last minute may still be counted.
	ObservedSessions = "sessions"
	// ObservedConfigBytes, ObservedSessionsBytes and ObservedRevokedBytes are
	// the sizes of a Region's streams, or of the copies here, in bytes.
	ObservedConfigBytes   = "config_bytes"
	ObservedSessionsBytes = "sessions_bytes"
	ObservedRevokedBytes  = "revoked_bytes"
	// ObservedConfigPosition, ObservedSessionsPosition and ObservedRevokedPosition are the
	// high-water marks: the last message of a Region's stream that has taken effect here,
	// as its sequence in the original. It falls only if the Region's store was created anew.
	ObservedConfigPosition   = "config_position"
	ObservedSessionsPosition = "sessions_position"
	ObservedRevokedPosition  = "revoked_position"
	// ObservedGeneration is the number of the Region's last start that is known
	// here. Every start has a higher one.
	ObservedGeneration = "generation"
)

// Values about each other Region that is followed.
const (
	// ObservedReachable is 1 if the Region answers, else 0.
	ObservedReachable = "reachable"
	// ObservedReplicated is 1 if the Region's state is Replicated, else 0.
	ObservedReplicated = "replicated"
	// ObservedHeardSeconds is how long ago everything that the Region had written was here,
	// in seconds.
	ObservedHeardSeconds = "heard_seconds"
	// ObservedLagSeconds is how long the last change took to get here, in seconds, and
	// ObservedMaxLagSeconds the longest time since Open. Both include the difference
	// between the two clocks.
	ObservedLagSeconds    = "lag_seconds"
	ObservedMaxLagSeconds = "max_lag_seconds"
	// ObservedClockSeconds is how far that Region's clock is ahead of this one's, in
	// seconds, to within the time that an answer takes. Less than 0: behind.
	ObservedClockSeconds = "clock_seconds"
)

var (
	observedBytes = map[streamKind]string{
		kindConfig: ObservedConfigBytes, kindSessions: ObservedSessionsBytes, kindRevoked: ObservedRevokedBytes,
	}
	observedPosition = map[streamKind]string{
		kindConfig: ObservedConfigPosition, kindSessions: ObservedSessionsPosition, kindRevoked: ObservedRevokedPosition,
	}
)

// observing calls Config.Observer until Close.
func (n *Node) observing() {
	tick := time.NewTicker(n.cfg.ObserveEvery)
	defer tick.Stop()
	for {
		n.observe(n.cfg.Observer)
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (n *Node) observe(o Observer) {
	own := n.cfg.Region
	o.Observe(ObservedReady, own, yes(n.isReady()))
	done, failed, longest := n.writes.since()
	o.Observe(ObservedWrites, own, float64(done))
	o.Observe(ObservedWritesFailed, own, float64(failed))
	if done+failed > 0 {
		o.Observe(ObservedWriteSeconds, own, longest.Seconds())
	}
	n.observeDisk(o)
	var counts map[string]int
	n.ledger.read(func(s *merge.Sessions) { counts = s.Count() }) // some 10 ms for 100,000 sessions
	for region, count := range counts {
		o.Observe(ObservedSessions, region, float64(count))
	}
	for region, number := range n.generations() {
		o.Observe(ObservedGeneration, region, float64(number))
	}
	n.observePeers(o)
	n.observeStreams(o)
}

func (n *Node) observeDisk(o Observer) {
	if n.cfg.URL != "" {
		return
	}
	if used, err := dirBytes(n.cfg.Dir); err == nil {
		o.Observe(ObservedDirBytes, n.cfg.Region, float64(used))
	}
	if left, ok := diskLeft(n.cfg.Dir); ok {
		o.Observe(ObservedDiskLeftBytes, n.cfg.Region, float64(left))
	}
}

func (n *Node) observePeers(o Observer) {
	for _, p := range n.Peers() {
		o.Observe(ObservedReachable, p.Region, yes(p.State == portal.PeerReplicated || p.State == portal.PeerReplicating))
		o.Observe(ObservedReplicated, p.Region, yes(p.State == portal.PeerReplicated))
		if !p.Heard.IsZero() {
			o.Observe(ObservedHeardSeconds, p.Region, max(0, n.cfg.Now().Sub(p.Heard).Seconds()))
		}
		if p.Lag > 0 {
			o.Observe(ObservedLagSeconds, p.Region, p.Lag.Seconds())
			o.Observe(ObservedMaxLagSeconds, p.Region, p.MaxLag.Seconds())
		}
		if p.ClockKnown {
			o.Observe(ObservedClockSeconds, p.Region, p.ClockAhead.Seconds())
		}
	}
}

// observeStreams asks the Region's own server. When it doesn't answer one request it isn't
// asked again.
func (n *Node) observeStreams(o Observer) {
	ctx, cancel := context.WithTimeout(n.ctx, writeTimeout)
	defer cancel()
	n.mu.Lock()
	regions := slices.Sorted(maps.Keys(n.readers))
	n.mu.Unlock()
	answers := true
	for _, region := range regions {
		for _, k := range streamKinds {
			if at, _ := n.progress.get(k.stream(region)); at.seq > 0 {
				o.Observe(observedPosition[k], region, float64(at.seq))
			}
			if !answers {
				continue
			}
			s, err := n.stream(ctx, k.stream(region))
			if err == nil {
				o.Observe(observedBytes[k], region, float64(s.CachedInfo().State.Bytes))
			} else if n.ctx.Err() != nil {
				return // closing
			}
			answers = err == nil
		}
	}
	o.Observe(ObservedServerAnswers, n.cfg.Region, yes(answers))
}

// generations returns the number of the last start of each Region, if it is known: versions
// from before generations don't say.
func (n *Node) generations() map[string]uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := map[string]uint64{n.cfg.Region: n.identity.Load().Latest()}
	for region, f := range n.followers {
		if latest := f.latest.Load(); latest > 0 {
			out[region] = latest
		}
	}
	return out
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// dirBytes is the size of the files below a directory. Files may come and go meanwhile.
func dirBytes(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = e.Info(); err == nil {
				total += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return total, err
}
