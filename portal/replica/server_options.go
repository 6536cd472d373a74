package replica

import (
	"time"

	"github.com/nats-io/nats.go"
)

// ownOptions are for the connection to the servers at Config.URL. A server that
// holds the connection and doesn't answer, as a frozen process does, is left for
// another one after three seconds. By default a client notices that after four
// minutes or more, and until then every write fails.
func ownOptions(region string) []nats.Option {
	return []nats.Option{
		nats.Name("meridian " + region), nats.CustomInboxPrefix(inboxNode),
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.Timeout(2 * time.Second),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2),
	}
}
