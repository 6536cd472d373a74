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
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
)

// commandLine: AWS's command line signs in to both Regions, each with a profile of its own, and has the same role in
// both.
func commandLine(k *walker) string {
	c, lacking := k.awsCLI(2, 22, 0) // the first with PKCE
	if lacking != "" {
		return "skipped: " + lacking
	}
	check.Must(c.prepare())
	var roles []string
	for i, s := range k.sites {
		check.Must(c.login(profile(i, s.Place), s))
		roles = append(roles, check.Get(c.identity(profile(i, s.Place))))
	}
	check.Must(check.Same("the role in "+k.sites[1].Name, roles[0], roles[1]))
	return "AWS's command line signed Alice in with the profiles " + profile(0, k.sites[0].Place) + " and " +
		profile(1, k.sites[1].Place) + ", with one role in both Regions"
}

// commandLineAlone: while the primary is stopped, the other Region's profile works on, with new credentials and with a
// new sign-in. The primary's fails.
func commandLineAlone(k *walker) string {
	c, lacking := k.awsCLI(2, 22, 0) // the first with PKCE
	if lacking != "" {
		return "skipped: " + lacking
	}
	lost, alive := k.sites[0], k.newRegion()
	check.Must(k.connectionRefused(lost))
	check.Must(os.RemoveAll(filepath.Join(c.home, ".aws", "cli", "cache")))
	_, err := c.identity(profile(0, lost.Place))
	check.Must(check.That("the profile of "+lost.Name, err != nil, "no answer", "credentials"))
	check.Get(c.identity(profile(1, alive.Place)))
	check.Must(c.login(profile(1, alive.Place), alive))
	check.Get(c.identity(profile(1, alive.Place)))
	return "with " + lost.Name + " shut down the profile " + profile(1, alive.Place) +
		" got new credentials, and signed in again"
}

// startURLFollowed: while the primary is stopped, the command line follows the company's own start URL to the other
// Region. The profile names neither Region's address. A device code needs no address of AWS in a browser.
func startURLFollowed(k *walker) string {
	c, lacking := k.awsCLI(2, 35, 13)
	if lacking != "" {
		return "skipped: " + lacking
	}
	alive := k.newRegion()
	check.Must(c.prepare())
	check.Must(k.until(func() error {
		return check.Same("whether "+k.sites[0].Name+" is healthy", false, k.redirector.starts.Status()[0].Healthy)
	}))
	check.Must(c.login(companyProfile, alive, "--use-device-code"))
	check.Get(c.identity(companyProfile))
	return "https://" + startHost + "/ led AWS's command line to " + alive.Name +
		", which signed Alice in for the profile " + companyProfile
}

// awsCLI is AWS's command line with a home directory in the world's.
type awsCLI struct {
	*walker
	program, home string
}

// awsCLI returns the command line, or why there is none of that version or a newer one.
func (k *walker) awsCLI(version ...int) (c awsCLI, lacking string) {
	want := "AWS CLI " + strings.Trim(strings.ReplaceAll(fmt.Sprint(version), " ", "."), "[]") + " or newer"
	path, err := exec.LookPath(cmp.Or(k.cli, "aws"))
	if err != nil {
		return c, "this machine has no " + want
	}
	c = awsCLI{k, path, filepath.Join(k.dir, "home")}
	out, err := c.run(nil, "--version")
	m := regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)\.(\d+)`).FindStringSubmatch(out)
	if err != nil || m == nil {
		return c, path + " is no " + want
	}
	var found []int
	for _, part := range m[1:] {
		n, _ := strconv.Atoi(part)
		found = append(found, n)
	}
	if slices.Compare(found, version) < 0 {
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
	cmd.Env = append(cmd.Env, c.redirector.starts.environment()...)
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

// login signs Alice in at a Region: the command line prints an address, and waits for her answer in a browser.
func (c awsCLI) login(profile string, s *site, more ...string) error {
	asked := false
	_, err := c.run(func(line string) error {
		at := regexp.MustCompile(`https?://\S+`).FindString(line)
		if at == "" || asked || len(more) > 0 && !strings.Contains(at, "user_code=") {
			return nil
		}
		asked = true
		return c.allow(at, s)
	}, append([]string{"sso", "login", "--no-browser", "--profile", profile}, more...)...)
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
	if f, ok := p.FormFor("/device"); ok {
		if p, err = b.Submit(p, f, url.Values{"answer": {"continue"}}); err != nil {
			return err
		}
	}
	f, ok := p.FormFor("/client")
	if !ok {
		return check.Differ("the portal's page for the command line", "a question", p.Text())
	}
	if err := check.Same("the portal that asks", s.url, p.Origin()); err != nil {
		return err
	}
	if p, err = b.Submit(p, f, url.Values{"answer": {"allow"}}); err != nil {
		return err
	}
	return check.Same("the status of the last page", 200, p.Status)
}

// identity returns the ARN of the profile's role.
func (c awsCLI) identity(profile string) (string, error) {
	out, err := c.run(nil, "sts", "get-caller-identity", "--profile", profile, "--query", "Arn",
		"--output", "text")
	arn := strings.TrimSpace(out)
	if err != nil {
		return "", err
	}
	want := "arn:aws:sts::" + corp.Production + ":assumed-role/AWSReservedSSO_" + corp.ReadOnly + "_"
	return arn, check.That("the role", strings.HasPrefix(arn, want) && strings.HasSuffix(arn, "/"+corp.Alice),
		want+"…/"+corp.Alice, arn)
}
