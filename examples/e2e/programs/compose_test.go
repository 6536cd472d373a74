package programs_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// projectVariable passes the project to the test inside, where there is no network.
const projectVariable = "MERIDIAN_PROGRAMS_PROJECT"

// service is a service of a Compose project.
type service struct {
	Image       string
	Build       struct{ Context, Dockerfile, Target string }
	Command     []string
	Environment map[string]*string
	Volumes     []struct {
		Type, Source, Target string
		ReadOnly             bool `json:"read_only"`
	}
	Ports []struct {
		HostIP    string `json:"host_ip"`
		Target    int
		Published string
	}
	Healthcheck struct{ Test []string }
	DependsOn   map[string]struct{ Condition string } `json:"depends_on"`
}

// composeProject reads the Compose file with Docker's own reader, which checks it against the schema of the Compose
// specification and for what the schema can't say.
func composeProject(t *testing.T) string {
	t.Helper()
	const version = "v2.16.2"
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	const tokenVariable = "MOCKIDP_CONTROL_TOKEN"
	token := ""
	run := func(name string, args ...string) (string, error) {
		c := exec.CommandContext(ctx, name, args...)
		c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod -trimpath", "GOWORK=off", tokenVariable+"="+token)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	source, err := os.ReadFile(filepath.Join("testdata", "compose", "main.go.txt"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module compose\n\ngo 1.26.0\n\n"+
		"require github.com/compose-spec/compose-go/v2 "+version+"\n"), 0o600))
	if out, err := run("go", "mod", "download", "github.com/compose-spec/compose-go/v2@"+version); err != nil {
		testkit.Lacking(t, "container", "compose-go "+version+" can't be downloaded: "+err.Error()+": "+out)
	}
	out, err := run("go", "build", "-o", "compose", ".")
	require.NoError(t, err, out)

	at, err := filepath.Abs(filepath.Join(root, "examples/mockidp"))
	require.NoError(t, err)
	project, err := run(filepath.Join(dir, "compose"), at, filepath.Join(at, "compose.yaml"))
	require.NoError(t, err, project)

	control := filepath.Join(dir, "control.yaml")
	require.NoError(t, os.WriteFile(control, controlFile(t), 0o600))
	out, err = run(filepath.Join(dir, "compose"), at, filepath.Join(at, "compose.yaml"), control)
	require.Error(t, err)
	assert.Contains(t, out, "want a token")
	token = "0123456789abcdef"
	out, err = run(filepath.Join(dir, "compose"), at, filepath.Join(at, "compose.yaml"), control)
	require.NoError(t, err, out)
	assert.Contains(t, out, `"MOCKIDP_CONTROL_TOKEN": "0123456789abcdef"`)
	assert.Contains(t, out, `"MOCKIDP_CONFIG": "/config.json"`)

	text, err := os.ReadFile(filepath.Join(at, "compose.yaml"))
	require.NoError(t, err)
	for from, to := range map[string]string{"healthcheck:": "healthchecks:", "service_healthy": "healthy",
		"      mockidp:\n        condition": "      idp:\n        condition"} {
		require.Contains(t, string(text), from)
		wrong := filepath.Join(dir, "wrong.yaml")
		require.NoError(t, os.WriteFile(wrong, []byte(strings.Replace(string(text), from, to, 1)), 0o600))
		out, err := run(filepath.Join(dir, "compose"), at, wrong)
		assert.Error(t, err, "the reader finds mistakes: %s", out)
	}
	return project
}

// controlFile returns the file of CONTAINER.md that adds the control API.
func controlFile(t *testing.T) []byte {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "examples/mockidp/CONTAINER.md"))
	require.NoError(t, err)
	m := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	require.Len(t, m, 1)
	return m[0][1]
}

// testCompose runs the services of the Compose file, each as soon as those that it depends on are healthy.
func testCompose(t *testing.T, i images, project string) {
	var p struct{ Services map[string]service }
	require.NoError(t, json.Unmarshal([]byte(project), &p))
	require.Len(t, p.Services, 2)
	running := map[string]*container{}
	var start func(name string)
	start = func(name string) {
		s, ok := p.Services[name]
		require.True(t, ok, name)
		for other, d := range s.DependsOn {
			require.Equal(t, "service_healthy", d.Condition)
			if running[other] == nil {
				start(other)
			}
			running[other].healthy(p.Services[other].Healthcheck.Test)
		}
		if running[name] == nil {
			running[name] = i.startService(name, s)
		}
	}
	for name := range p.Services {
		start(name)
	}
	defer func() {
		for _, c := range running {
			c.stop()
		}
	}()
	b := testkit.NewBrowser(t.Context())
	require.Eventually(t, func() bool {
		_, err := b.Open("http://sp.localhost:8720/")
		return err == nil
	}, time.Minute, 50*time.Millisecond)
	page, err := b.SignIn("http://sp.localhost:8720/login", "alice@example.com", "mockidp")
	require.NoError(t, err)
	assert.Equal(t, "http://sp.localhost:8720/", page.URL.String())
	assert.Contains(t, page.Text(), "alice@example.com")
}

func (i images) startService(name string, s service) *container {
	t := i.t
	abs, err := filepath.Abs(root)
	require.NoError(t, err)
	assert.Equal(t, abs, s.Build.Context)
	assert.Equal(t, "examples/mockidp/Containerfile", s.Build.Dockerfile)
	assert.Equal(t, name, s.Build.Target)
	for _, p := range s.Ports {
		assert.Equal(t, "127.0.0.1", p.HostIP, "no other machine reaches it")
	}
	var flags []string
	for _, v := range s.Volumes {
		if v.Type == "volume" {
			require.Equal(t, "/state", v.Target, "a volume of the image")
			continue
		}
		require.Equal(t, "bind", v.Type)
		require.True(t, v.ReadOnly)
		flags = append(flags, "-v", v.Source+":"+v.Target+":ro")
	}
	settings := slices.Clone(s.Command)
	for key, value := range s.Environment {
		require.NotNil(t, value, key)
		settings = append(settings, *value)
		flags = append(flags, "--env", key+"="+*value)
	}
	for _, p := range s.Ports {
		assert.True(t, slices.ContainsFunc(settings, func(setting string) bool {
			return strings.HasSuffix(setting, ".localhost:"+p.Published)
		}), "the address that browsers use has the port %s", p.Published)
	}
	return i.start(s.Build.Target, s.Command, flags...)
}
