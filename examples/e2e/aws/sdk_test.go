package aws_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/npm"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// newGoSDK makes a module with the AWS SDK for Go. The versions are those of portal/awsapi.
func newGoSDK(t *testing.T) testkit.Module {
	t.Helper()
	text := func(path ...string) string {
		raw, err := os.ReadFile(filepath.Join(path...))
		require.NoError(t, err)
		return string(raw)
	}
	return testkit.NewModule(t, "awssdk", map[string]string{
		"go.mod":  text("..", "..", "..", "portal", "awsapi", "testdata", "awssdk", "go.mod.txt"),
		"main.go": text("testdata", "sdk.go.txt"),
	})
}

func copyFile(t *testing.T, from string, to ...string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(to...), raw, 0o600))
}

func TestGoSDK(t *testing.T) {
	program := newGoSDK(t).Build()
	w := newWorld(t, "8443")
	for i := range w.places {
		w.uses(i, program)
	}
}

// The packages of the AWS SDK for JavaScript.
var sdkPackages = []string{
	"@aws-sdk/client-sso@3.1164.0", "@aws-sdk/client-sso-oidc@3.1164.0", "@aws-sdk/client-sts@3.1177.0",
	"@aws-sdk/credential-providers@3.1175.0",
}

func TestJavaScriptSDK(t *testing.T) {
	node := testkit.RequireProgram(t, "awssdk", "node")
	modules, err := npm.Modules(sdkPackages...)
	if err != nil {
		testkit.Lacking(t, "awssdk", err.Error())
	}
	program := filepath.Join(t.TempDir(), "sdk.js")
	copyFile(t, filepath.Join("testdata", "sdk.js.txt"), program)
	w := newWorld(t, "8443")
	for i := range w.places {
		w.uses(i, node, program, "NODE_PATH="+modules)
	}
}

// uses runs a program that signs in to a Region, and answers for the user. Arguments with "=" are its environment.
func (w *world) uses(i int, name string, args ...string) {
	t, p := w.t, w.places[i]
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	home, ca := t.TempDir(), filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, w.ca.pem, 0o600))
	env := []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "CA_FILE=" + ca, "REGION_ADDRESS=" + p.ip, "START_URL=" + p.portal,
		"AWS_REGION=" + p.Name, "AWS_EC2_METADATA_DISABLED=true",
	}
	for variable, service := range map[string]string{"SSO": "portal.sso", "SSO_OIDC": "oidc", "STS": "sts"} {
		env = append(env, "AWS_ENDPOINT_URL_"+variable+"=https://"+service+"."+p.Name+".amazonaws.com:"+w.port)
	}
	var plain []string
	for _, a := range args {
		if strings.Contains(a, "=") {
			env = append(env, a)
		} else {
			plain = append(plain, a)
		}
	}
	cmd := exec.CommandContext(ctx, name, plain...)
	cmd.Env, cmd.WaitDelay = env, 10*time.Second
	var errs bytes.Buffer
	cmd.Stderr = &errs
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var seen []string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if seen = append(seen, lines.Text()); len(seen) == 1 {
			w.allow(w.browser(i, corp.Alice), lines.Text())
		}
	}
	require.NoError(t, cmd.Wait(), "%s\n%s\n%s", seen, errs.String(), w.logged())
	require.Len(t, seen, 4)
	assert.Regexp(t, `:assumed-role/AWSReservedSSO_AdministratorAccess_[0-9a-f]{16}/alice@example.com$`, seen[1])
	assert.Regexp(t, `:assumed-role/AWSReservedSSO_ReadOnly_[0-9a-f]{16}/alice@example.com$`, seen[2])
	assert.Equal(t, "done", seen[3])
}
