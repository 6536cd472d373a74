package replica

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// deletedPrefix begins the name of the directory to which the server moves the
// files of a stream that it deletes. It removes them after that, in the
// background, and not if the process ends before.
const deletedPrefix = "."

// deleteFiles removes the files of all streams that were deleted. Servers at
// Config.URL do that by themselves, soon.
func (n *Node) deleteFiles() error {
	if n.server == nil {
		return nil
	}
	dir := filepath.Join(n.cfg.Dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams")
	all, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, one := range all {
		if strings.HasPrefix(one.Name(), deletedPrefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, one.Name())))
		}
	}
	if err != nil {
		return unavailable("deletion of files of streams", err)
	}
	return nil
}
