package programs_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// images is a storage of images and containers, by buildah, which needs no daemon.
type images struct {
	t   *testing.T
	dir string
}

func (i images) command(args ...string) *exec.Cmd {
	return exec.CommandContext(i.t.Context(), "buildah", append([]string{"--root", filepath.Join(i.dir, "root"),
		"--runroot", filepath.Join(i.dir, "run"), "--storage-driver", "vfs"}, args...)...)
}

func (i images) run(args ...string) string {
	i.t.Helper()
	cmd := i.command(args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(i.t, err, "buildah %s: %s%s", strings.Join(args, " "), out, errs.Bytes())
	return strings.TrimSpace(string(out))
}

// build builds a target of the Containerfile. No registry is asked for the image with the go command: a shell in an
// image of its own sees this machine's, and its caches.
func (i images) build(target string) {
	i.t.Helper()
	env := strings.Fields(goOutput(i.t, "env", "GOROOT", "GOMODCACHE", "GOCACHE"))
	require.Len(i.t, env, 3)
	i.run("build", "--isolation", "chroot", "--format", "docker", "--layers", "--build-arg", "GO=localhost/go",
		"-v", env[0]+":/usr/local/go:ro", "-v", env[1]+":/modules:ro", "-v", env[2]+":/cache",
		"--target", target, "-t", "localhost/"+target, "-f", filepath.Join(root, "examples/mockidp/Containerfile"), root)
}

// prepare makes the image with the go command.
func (i images) prepare(shell string) {
	i.t.Helper()
	dir := filepath.Join(i.dir, "go")
	require.NoError(i.t, os.Mkdir(dir, 0o755))
	text, err := os.ReadFile(shell)
	require.NoError(i.t, err)
	require.NoError(i.t, os.WriteFile(filepath.Join(dir, "busybox"), text, 0o755))
	require.NoError(i.t, os.WriteFile(filepath.Join(dir, "certificates"), []byte("none\n"), 0o644))
	require.NoError(i.t, os.WriteFile(filepath.Join(dir, "Containerfile"), []byte(`FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY busybox /bin/mkdir
COPY certificates /etc/ssl/certs/ca-certificates.crt
ENV PATH=/usr/local/go/bin:/bin HOME=/ GOPROXY=off GOTOOLCHAIN=local GOMODCACHE=/modules GOCACHE=/cache
RUN mkdir -m 1777 /tmp
`), 0o644))
	i.run("build", "--isolation", "chroot", "-t", "localhost/go", dir)
}

// imageConfig is the configuration of an image, as Docker has it.
type imageConfig struct {
	User            string
	Entrypoint, Cmd []string
	ExposedPorts    map[string]struct{}
	Volumes         map[string]struct{}
	Healthcheck     struct{ Test []string }
}

func (i images) config(image string) (c imageConfig) {
	i.t.Helper()
	var all struct{ Docker struct{ Config imageConfig } }
	require.NoError(i.t, json.Unmarshal([]byte(i.run("inspect", "--type", "image", "localhost/"+image)), &all))
	return all.Docker.Config
}

// files lists the files of an image.
func (i images) files(image string) []string {
	i.t.Helper()
	c := i.run("from", "localhost/"+image)
	at := i.run("mount", c)
	var out []string
	require.NoError(i.t, filepath.WalkDir(at, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, strings.TrimPrefix(path, at))
		}
		return err
	}))
	i.run("rm", c)
	slices.Sort(out)
	return out
}

// container is a program that runs in an image.
type container struct {
	images
	name   string
	cmd    *exec.Cmd
	output *lockedBuffer
	ended  chan error
}

// lockedBuffer is the output of a program that still runs.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start runs an image's entry point. args replace its command, as Docker's do. mounts are flags of buildah.
func (i images) start(image string, args []string, mounts ...string) *container {
	i.t.Helper()
	conf := i.config(image)
	if args == nil {
		args = conf.Cmd
	}
	c := &container{images: i, name: i.run("from", "localhost/"+image), output: new(lockedBuffer),
		ended: make(chan error, 1)}
	c.cmd = i.command(slices.Concat([]string{"run", "--isolation", "chroot"}, mounts, []string{c.name, "--"},
		conf.Entrypoint, args)...)
	c.cmd.Stdout, c.cmd.Stderr = c.output, c.output
	require.NoError(i.t, c.cmd.Start())
	go func() { c.ended <- c.cmd.Wait() }()
	i.t.Cleanup(func() {
		if i.t.Failed() {
			i.t.Logf("%s printed:\n%s", image, c.output)
		}
	})
	return c
}

// stop ends the program as Docker does, and waits.
func (c *container) stop() {
	c.t.Helper()
	require.NoError(c.t, c.cmd.Process.Signal(os.Interrupt))
	select {
	case <-c.ended:
	case <-time.After(time.Minute):
		require.FailNow(c.t, "the container did not stop", "%s", c.output)
	}
}

// exec runs a program in the container and returns whether it succeeded.
func (c *container) exec(args ...string) bool {
	return c.command(append([]string{"run", "--isolation", "chroot", c.name, "--"}, args...)...).Run() == nil
}

// healthy waits until the health check of an image succeeds.
func (c *container) healthy(check []string) {
	c.t.Helper()
	require.Equal(c.t, "CMD", check[0])
	require.Eventually(c.t, func() bool { return c.exec(check[1:]...) }, time.Minute, 100*time.Millisecond,
		"%s", c.output)
}

// process returns the status file of the process that runs a program.
func process(t *testing.T, program string) string {
	t.Helper()
	list, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range list {
		line, err := os.ReadFile(file)
		if err == nil && bytes.HasPrefix(line, append([]byte(program), 0)) {
			status, err := os.ReadFile(filepath.Join(filepath.Dir(file), "status"))
			require.NoError(t, err)
			return string(status)
		}
	}
	require.FailNow(t, "no process runs "+program)
	return ""
}

func goOutput(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	require.NoError(t, err)
	return string(out)
}

// The images are built by the Containerfile and hold one static program each, which runs as a user without rights. The
// programs of the Compose file, with its commands, names and files, sign a user in.
func TestContainers(t *testing.T) {
	testkit.RequireProgram(t, "container", "buildah")
	shell := testkit.RequireProgram(t, "container", "busybox")
	project := os.Getenv(projectVariable)
	if os.Getenv(insideVariable) == "" {
		project = composeProject(t)
	}
	if !inside(t, "127.0.0.1 localhost mockidp sp\n", projectVariable+"="+project) {
		return
	}
	i := images{t, t.TempDir()}
	i.prepare(shell)
	i.build("mockidp")
	i.build("sp")
	t.Run("image", func(t *testing.T) { testImages(t, images{t, i.dir}) })
	t.Run("control", func(t *testing.T) { testControl(t, images{t, i.dir}) })
	t.Run("compose", func(t *testing.T) { testCompose(t, images{t, i.dir}, project) })
}

func testImages(t *testing.T, i images) {
	const certificates = "/etc/ssl/certs/ca-certificates.crt"
	assert.Equal(t, []string{certificates, "/mockidp"}, i.files("mockidp"))
	assert.Equal(t, []string{certificates, "/sp"}, i.files("sp"))
	sp, idp := i.config("sp"), i.config("mockidp")
	assert.Equal(t, "65532:65532", sp.User)
	assert.Equal(t, "65532:65532", idp.User)
	assert.Contains(t, idp.ExposedPorts, "8701/tcp")
	assert.Contains(t, idp.Volumes, "/state")
	assert.Empty(t, idp.Cmd)

	// buildah makes a new volume at /state for each run, so the folder that is kept is another.
	state := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.Mkdir(state, 0o700))
	require.NoError(t, os.Chown(state, 65532, 65532))
	metadata := func() string {
		p, err := testkit.NewBrowser(t.Context()).Open("http://localhost:8701/metadata")
		require.NoError(t, err)
		require.Equal(t, 200, p.Status)
		return p.Body
	}
	kept := []string{"-v", state + ":/kept", "--env", "MOCKIDP_STATE=/kept"}
	c := i.start("mockidp", nil, kept...)
	c.healthy(idp.Healthcheck.Test)
	before := metadata()
	c.stop()
	c = i.start("mockidp", nil, kept...)
	defer c.stop()
	c.healthy(idp.Healthcheck.Test)
	assert.Equal(t, before, metadata(), "the key outlives a container")
	status := process(t, "/mockidp")
	assert.Regexp(t, `(?m)^Uid:\s+65532\s+65532\s+65532\s+65532$`, status)
	assert.Regexp(t, `(?m)^Gid:\s+65532\s+65532\s+65532\s+65532$`, status)
	assert.Regexp(t, `(?m)^CapEff:\s+0+$`, status)
	p, err := testkit.NewBrowser(t.Context()).SignIn("http://localhost:8701/", "alice@example.com", "mockidp")
	require.NoError(t, err)
	assert.Contains(t, p.Body, "Example app")
	p, err = testkit.NewBrowser(t.Context()).SignIn("http://localhost:8701/t/one/", "alice@example.com", "mockidp")
	require.NoError(t, err)
	assert.Equal(t, "/t/one/app/UserHome", p.URL.Path)
}
