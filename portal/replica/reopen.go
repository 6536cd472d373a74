package replica

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// The embedded server refuses a stream for good once a write to it has failed,
// as on a full disk, and doesn't even answer. The Node looks for that, fails
// such writes at once, and opens the streams again when the disk takes writes.
// Reading goes on meanwhile. Servers at Config.URL are their operator's.

// reopenEvery is how often the Node looks at the embedded server's streams, and
// reopenSpace is how much the disk has to take before they are opened again.
const (
	reopenEvery = time.Second
	maxReopen   = time.Minute // where it doesn't last
	reopenSpace = 1 << 20
	spaceName   = "meridian.space" // the file that tries it
)

// maxStore leaves the limit to the disk. By default the server stores no more
// than three quarters of what is free when it starts, which what is stored already
// may exceed; then it refuses all writes until another start.
const maxStore = 1 << 60

// everything stands for all streams in what the server refuses.
const everything = "*"

// stalledStreams are the streams that the embedded server refuses, and why.
func (n *Node) stalledStreams() map[string]string {
	if p := n.refused.Load(); p != nil {
		return *p
	}
	return nil
}

// stalled returns why the embedded server takes no writes to a stream, as far
// as is known, or nil.
func (n *Node) stalled(stream string) error {
	all := n.stalledStreams()
	for _, name := range []string{stream, everything} {
		if why, ok := all[name]; ok {
			return unavailable("write to stream "+stream, errors.New(why))
		}
	}
	return nil
}

// attend looks after the embedded server's streams until Close.
func (n *Node) attend() {
	var tried time.Time
	looks := unrecovered{}
	wait, said := reopenEvery, false
	for ; n.ctx.Err() == nil; pause(n.ctx, reopenEvery) {
		before := n.stalledStreams()
		now, full := n.trouble(looks, before, time.Now())
		n.refused.Store(&now)
		switch {
		case len(now) == 0:
			if time.Since(tried) > maxReopen {
				wait = reopenEvery
			}
			said = false
			continue
		case len(before) == 0:
			continue
		case !said:
			said = true
			n.cfg.Logger.Error("replica: the embedded server takes no more writes; they go on when the disk takes them",
				"region", n.cfg.Region, "streams", slices.Sorted(maps.Keys(now)), "cause", slices.Sorted(maps.Values(now))[0])
		}
		if full || time.Since(tried) < wait {
			continue
		}
		tried, wait = time.Now(), min(2*wait, maxReopen)
		if err := n.reopen(); err != nil {
			n.cfg.Logger.Warn("replica: streams not opened again, will try again", "region", n.cfg.Region, "error", err)
		}
	}
}

// trouble asks the server which streams it can't write to. On a disk that is
// full that is all of them, whether or not a write has failed by now. before are
// those that it was.
func (n *Node) trouble(looks unrecovered, before map[string]string, now time.Time) (refused map[string]string, full bool) {
	refused = looks.last(troubles(n.server), before, now)
	if len(refused) > 0 {
		if err := n.space(); err != nil {
			refused[everything], full = err.Error(), true
		}
	}
	return refused, full
}

// troubles asks a server which of its streams it can't write to.
func troubles(s *server.Server) map[string]string {
	out := map[string]string{}
	for _, e := range s.Healthz(&server.HealthzOptions{Details: true}).Errors {
		switch e.Type {
		case server.HealthzErrorStream:
			if !strings.HasPrefix(e.Stream, deletedPrefix) {
				out[e.Stream] = e.Error
			}
		case server.HealthzErrorJetStream:
			out[everything] = e.Error
		}
	}
	return out
}

// unrecovered says since when streams have directories and are not known to the
// server. That is so for good if they could not be recovered from the disk, and
// for a moment while they are made or deleted.
type unrecovered map[string]time.Time

// unrecoveredFor is how long it is taken for such a moment.
const unrecoveredFor = 5 * time.Second

// last leaves out of what the server says what is not known to last.
func (u unrecovered) last(found, before map[string]string, now time.Time) map[string]string {
	maps.DeleteFunc(u, func(stream string, _ time.Time) bool { _, still := found[stream]; return !still })
	for stream, why := range found {
		if _, known := before[stream]; known || !strings.HasSuffix(why, "could not be recovered") {
			continue
		}
		if _, seen := u[stream]; !seen {
			u[stream] = now
		}
		if now.Sub(u[stream]) < unrecoveredFor {
			delete(found, stream)
		}
	}
	return found
}

// space tries whether the disk takes writes.
func (n *Node) space() error {
	name := filepath.Join(n.cfg.Dir, spaceName)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, reopenSpace))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(name))
}

// reopen has the server close its streams and recover them from the disk.
// Connections and what they subscribed to stay. Readers and followers notice
// that their consumers are gone, and begin where they were.
func (n *Node) reopen() error {
	if err := n.server.ShutdownJetStream(); err != nil {
		return err
	}
	if err := n.server.EnableJetStream(&server.JetStreamConfig{StoreDir: n.cfg.Dir, SyncAlways: true, MaxStore: maxStore}); err != nil {
		return err
	}
	now := troubles(n.server)
	n.refused.Store(&now)
	if len(now) > 0 {
		return fmt.Errorf("%d are still refused", len(now))
	}
	n.cfg.Logger.Info("replica: writes go on", "region", n.cfg.Region)
	return nil
}
