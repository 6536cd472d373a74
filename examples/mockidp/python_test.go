package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The client in Python in CONTROL.md works as it is printed there.
func TestPythonClient(t *testing.T) {
	testkit.RequireProgram(t, "peers", "python3")
	text, err := os.ReadFile("CONTROL.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)\n```python\n(.*?)```\n").FindStringSubmatch(string(text))
	require.Len(t, block, 2)
	config := write(t, `{"apps": [{"label": "Wiki", "name": "wiki", "externalKey": "exkwiki", "audience": "sp", "groups": ["Everyone"],
		"acs": [{"url": "http://sp.localhost/acs"}]}]}`)
	found, stop := running(t, os.Interrupt, "-config", config, "-control", "127.0.0.1:0", "-control-token", "secret")
	defer stop()
	idp, _, _ := strings.Cut(found["Metadata"][0], "/app/")
	cmd := exec.Command("python3", "-")
	cmd.Stdin = strings.NewReader(block[1])
	cmd.Env = append(os.Environ(), "CONTROL="+found["Control"][0], "TOKEN=secret",
		"LOGIN="+idp+"/app/wiki/exkwiki/sso/saml",
		"no_proxy=*", "NO_PROXY=*")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, fmt.Sprintln("dora@example.com signs in at http://sp.localhost/acs"), string(out))
}
