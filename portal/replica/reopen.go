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

// After a failed write, such as on a full disk, the embedded server permanently refuses writes to that stream, without
// an answer. The Node checks for this, fails such writes at once, and opens the streams again when the disk accepts
// writes. Reads continue meanwhile. Servers at Config.URL are their operator's responsibility.

// Bounds of reopening.
const (
	reopenEvery = time.Second      // how often the Node checks the streams
	maxReopen   = time.Minute      // the longest time between two attempts
	reopenSpace = 1 << 20          // how much the disk has to accept before
	spaceName   = "meridian.space" // the file that tests it
)

// stalled returns why the embedded server accepts no writes to a stream, as far as is known, or nil.
func (n *Node) stalled(stream string) error {
	all := *n.refused.Load()
	for _, name := range []string{stream, everything} {
		if why, ok := all[name]; ok {
			return unavailable("write to stream "+stream, errors.New(why))
		}
	}
	return nil
}

// watchServer checks the embedded server's streams until Close.
func (n *Node) watchServer() {
	var tried time.Time
	looks := unrecovered{}
	wait, said := reopenEvery, false
	for ; n.ctx.Err() == nil; pause(n.ctx, reopenEvery) {
		before := *n.refused.Load()
		now, full := n.refusedStreams(looks, before, time.Now())
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
			n.cfg.Logger.Error("replica: the embedded server accepts no more writes until the disk accepts them",
				"streams", slices.Sorted(maps.Keys(now)), "cause", slices.Sorted(maps.Values(now))[0])
		}
		if full || time.Since(tried) < wait {
			continue
		}
		tried, wait = time.Now(), min(2*wait, maxReopen)
		if err := n.reopen(); err != nil {
			n.cfg.Logger.Warn("replica: streams not opened again, will try again", "error", err)
		}
	}
}

// refusedStreams returns the streams that the server can't write to, on a full disk all. before are the last ones.
func (n *Node) refusedStreams(looks unrecovered, before map[string]string, now time.Time) (map[string]string, bool) {
	refused, full := looks.last(streamErrors(n.server), before, now), false
	if len(refused) > 0 {
		if err := n.checkSpace(); err != nil {
			refused[everything], full = err.Error(), true
		}
	}
	return refused, full
}

// streamErrors asks a server which streams it can't write to.
func streamErrors(s *server.Server) map[string]string {
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

// unrecovered is since when streams have directories and are unknown to the server. That is permanent if they could
// not be recovered from the disk, and lasts for a moment while they are created or deleted.
type unrecovered map[string]time.Time

// last leaves out what may not be permanent.
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

// checkSpace tests whether the disk accepts writes.
func (n *Node) checkSpace() error {
	name := filepath.Join(n.cfg.Dir, spaceName)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, reopenSpace))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(name))
}

// reopen makes the server close its streams and recover them from the disk. Connections and subscriptions stay.
// Readers and followers notice that their consumers are gone, and continue at their positions.
func (n *Node) reopen() error {
	if err := n.server.ShutdownJetStream(); err != nil {
		return err
	}
	c := server.JetStreamConfig{StoreDir: n.cfg.Dir, SyncAlways: true, MaxStore: maxStore}
	if err := n.server.EnableJetStream(&c); err != nil {
		return err
	}
	now := streamErrors(n.server)
	n.refused.Store(&now)
	if len(now) > 0 {
		return fmt.Errorf("%d are still refused", len(now))
	}
	n.cfg.Logger.Info("replica: writes continue")
	return nil
}
