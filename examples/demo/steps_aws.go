package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
)

// commandLine: AWS's command line signs in to both Regions, each with a profile of its own, and has the same role in
// both.
func commandLine(k *walker) string {
	c, lacking := k.awsCLI()
	if lacking != "" {
		return "skipped: " + lacking
	}
	check.Must(c.prepare())
	var roles []string
	for i, s := range k.sites {
		check.Must(c.login(i, s))
		roles = append(roles, check.Get(c.identity(i, s)))
	}
	check.Must(check.Same("the role in "+k.sites[1].Name, roles[0], roles[1]))
	return "AWS's command line signed Alice in with the profiles " + profile(0, k.sites[0].Place) + " and " +
		profile(1, k.sites[1].Place) + ", with one role in both Regions"
}

// commandLineAlone: while the primary is stopped, the other Region's profile works on, with new credentials and with a
// new sign-in. The primary's fails.
func commandLineAlone(k *walker) string {
	c, lacking := k.awsCLI()
	if lacking != "" {
		return "skipped: " + lacking
	}
	lost, alive := k.sites[0], k.newRegion()
	check.Must(k.connectionRefused(lost))
	check.Must(os.RemoveAll(filepath.Join(c.home, ".aws", "cli", "cache")))
	_, err := c.identity(0, lost)
	check.Must(check.That("the profile of "+lost.Name, err != nil, "no answer", "credentials"))
	check.Get(c.identity(1, alive))
	check.Must(c.login(1, alive))
	check.Get(c.identity(1, alive))
	return "with " + lost.Name + " shut down the profile " + profile(1, alive.Place) +
		" got new credentials, and signed in again"
}

// awsCLI is AWS's command line with a home directory in the world's.
type awsCLI struct {
	*walker
	program, home string
}

// awsCLI returns the command line, or why there is none. Version 2.22 is the first with PKCE.
func (k *walker) awsCLI() (c awsCLI, lacking string) {
	const want = "AWS CLI 2.22 or newer"
	path, err := exec.LookPath(cmp.Or(k.cli, "aws"))
	if err != nil {
		return c, "this machine has no " + want
	}
	c = awsCLI{k, path, filepath.Join(k.dir, "home")}
	out, err := c.run(nil, "--version")
	m := regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)`).FindStringSubmatch(out)
	if err != nil || m == nil {
		return c, path + " is no " + want
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if major < 2 || major == 2 && minor < 22 {
		return c, path + " is " + m[0] + ", and the step needs " + want
	}
	return c, ""
}

// prepare writes the configuration that the control page shows.
func (c awsCLI) prepare() error {
	p, err := c.browser().Open(c.control.url + "/aws-config")
	if err != nil {
		return err
	}
	dir := filepath.Join(c.home, ".aws")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config"), []byte(p.Body), 0o600)
}

// run runs a command. line is called with each line of its output.
func (c awsCLI) run(line func(string) error, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(c.ctx, 2*time.Minute) // far more than a command needs
	defer cancel()
	cmd := exec.CommandContext(ctx, c.program, args...)
	// Nothing of the user's own configuration.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_MAX_ATTEMPTS=1", "PYTHONUNBUFFERED=1", "LC_ALL=C.UTF-8"}
	cmd.WaitDelay = 10 * time.Second
	var errs bytes.Buffer
	cmd.Stderr = &errs
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", err
	}
	var out strings.Builder
	var failed error
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		out.WriteString(lines.Text() + "\n")
		if line != nil && failed == nil {
			if failed = line(lines.Text()); failed != nil {
				cancel()
			}
		}
	}
	if err := cmd.Wait(); failed == nil && err != nil {
		failed = fmt.Errorf("aws %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), failed
}

// login signs Alice in: the command line prints an address, and waits for her answer in a browser.
func (c awsCLI) login(i int, s *site) error {
	asked := false
	_, err := c.run(func(line string) error {
		if at := regexp.MustCompile(`https?://\S+`).FindString(line); at != "" && !asked {
			asked = true
			return c.allow(at, s)
		}
		return nil
	}, "sso", "login", "--no-browser", "--profile", profile(i, s.Place))
	if err == nil && !asked {
		err = check.Differ("the command line", "an address to open", "none")
	}
	return err
}

// allow signs in at the portal, and allows the access that the command line asks for.
func (c awsCLI) allow(at string, s *site) error {
	b := c.browser()
	p, err := c.person().Enter(b, at)
	if err != nil {
		return err
	}
	f, ok := p.FormFor("/client")
	if !ok {
		return check.Differ("the portal's page for the command line", "a question", p.Text())
	}
	if err := check.Same("the portal that asks", s.url, p.Origin()); err != nil {
		return err
	}
	p, err = b.Submit(p, f, url.Values{"answer": {"allow"}})
	if err != nil {
		return err
	}
	return check.Same("the status of the command line's own page", 200, p.Status)
}

// identity returns the ARN of the profile's role.
func (c awsCLI) identity(i int, s *site) (string, error) {
	out, err := c.run(nil, "sts", "get-caller-identity", "--profile", profile(i, s.Place), "--query", "Arn",
		"--output", "text")
	arn := strings.TrimSpace(out)
	if err != nil {
		return "", err
	}
	want := "arn:aws:sts::" + corp.Production + ":assumed-role/AWSReservedSSO_" + corp.ReadOnly + "_"
	return arn, check.That("the role", strings.HasPrefix(arn, want) && strings.HasSuffix(arn, "/"+corp.Alice),
		want+"…/"+corp.Alice, arn)
}
