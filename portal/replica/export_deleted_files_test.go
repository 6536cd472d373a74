package replica

import (
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// DeleteFiles removes the files of deleted streams in a directory.
func DeleteFiles(dir string) error {
	return (&Node{server: &server.Server{}, cfg: Config{Dir: dir}}).deleteFiles()
}

// Looker returns a function that checks the server's streams, as the Node does every second, at a
// time.
func Looker(n *Node) func(time.Time) map[string]string {
	looks, before := unrecovered{}, map[string]string{}
	return func(now time.Time) map[string]string {
		before, _ = n.refusedStreams(looks, before, now)
		return before
	}
}
