package replica

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// An Observer receives the state of a Node every Config.ObserveEvery, in one call for each value. The names are the
// constants that begin with Observed; region is the Region that the value describes. Unknown values are omitted, so a
// missing value should raise an alarm too. OPERATING.md describes when to act on each value.
//
// Only one goroutine calls it, and no request waits for that. Close waits, so Observe should return soon.
type Observer interface {
	Observe(name, region string, value float64)
}

// Values about the Node's own Region. Writes are those to its own streams since the last report, without those that
// conflicted with another Node's write. The last two values are only reported for an embedded server.
const (
	ObservedReady         = "ready"           // 1 if the Region may serve (Ready), else 0
	ObservedServerAnswers = "server_answers"  // 1 if the Region's NATS server answered for all of these values, else 0
	ObservedWrites        = "writes"          // number of acknowledged writes
	ObservedWritesFailed  = "writes_failed"   // number of failed writes
	ObservedWriteSeconds  = "write_seconds"   // the longest write, in seconds
	ObservedDirBytes      = "dir_bytes"       // size of the files below Config.Dir, in bytes
	ObservedDiskLeftBytes = "disk_left_bytes" // space that their file system has left for this process, in bytes
)

// Values about every Region, including the Node's own. Bytes are those of the Region's streams, or of the copies here.
// Positions are the high-water marks: the last message of the stream that has taken effect here, as its sequence in the
// original. They decrease only if the Region's store was created again.
const (
	ObservedSessions         = "sessions" // known here; some may have expired in the last minute
	ObservedConfigBytes      = "config_bytes"
	ObservedSessionsBytes    = "sessions_bytes"
	ObservedRevokedBytes     = "revoked_bytes"
	ObservedConfigPosition   = "config_position"
	ObservedSessionsPosition = "sessions_position"
	ObservedRevokedPosition  = "revoked_position"
	ObservedGeneration       = "generation" // number of the Region's last start that is known here
)

// Values about each other Region that is followed. Lags include the difference between the two clocks.
const (
	ObservedReachable     = "reachable"       // 1 if the Region answers, else 0
	ObservedReplicated    = "replicated"      // 1 if the Region's state is Replicated, else 0
	ObservedHeardSeconds  = "heard_seconds"   // age of the data from it, in seconds (see portal.Peer.Heard)
	ObservedLagSeconds    = "lag_seconds"     // how long the last change took to arrive, in seconds
	ObservedMaxLagSeconds = "max_lag_seconds" // the longest lag since Open
	ObservedClockSeconds  = "clock_seconds"   // how far its clock is ahead, in seconds
)

var (
	observedBytes = map[streamKind]string{
		kindConfig: ObservedConfigBytes, kindSessions: ObservedSessionsBytes, kindRevoked: ObservedRevokedBytes,
	}
	observedPosition = map[streamKind]string{
		kindConfig: ObservedConfigPosition, kindSessions: ObservedSessionsPosition, kindRevoked: ObservedRevokedPosition,
	}
)

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
	o.Observe(ObservedGeneration, own, float64(n.identity.Load().Latest()))
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
		if f := n.follower(p.Region); f != nil && f.latest.Load() > 0 { // 0: an older version, without generations
			o.Observe(ObservedGeneration, p.Region, float64(f.latest.Load()))
		}
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

// observeStreams queries the Region's own server, until one request has no answer.
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
