package dsig_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// requirePeer skips a test where running a program fails, unless
// MERIDIAN_REQUIRE (comma separated) has "peers": then it fails.
func requirePeer(t *testing.T, command ...string) {
	t.Helper()
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err == nil {
		return
	}
	why := strings.Join(command, " ") + ": " + err.Error() + "\n" + string(out)
	if slices.Contains(strings.Split(os.Getenv("MERIDIAN_REQUIRE"), ","), "peers") {
		t.Fatal(why)
	}
	t.Skip(why)
}
