package e2e_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A demo is the program examples/demo, running.
type demo struct {
	control, idp    string            // addresses, without a slash at the end
	portals         map[string]string // by Region
	login, password string
}

// demoLine is what the program says for each thing to open.
var demoLine = regexp.MustCompile(`^(.+?)\s+(http://\S+?)(/\S*)?(?:\s+\((?:sign in as ([^\s,]+).*, password (\S+)|.*)\))?$`)

// startDemo builds and starts the program, and reads what it says.
func startDemo(t *testing.T) demo {
	t.Helper()
	program := filepath.Join(t.TempDir(), "demo")
	out, err := exec.Command("go", "build", "-o", program, "../demo").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Signal(os.Interrupt))
		stuck := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer stuck.Stop()
		assert.NoError(t, cmd.Wait(), "an interrupt ends the program well")
	})

	d := demo{portals: map[string]string{}}
	for lines := bufio.NewScanner(stdout); len(d.portals) < 2; {
		require.True(t, lines.Scan(), "the program says too little: %+v, %v", d, lines.Err())
		m := demoLine.FindStringSubmatch(lines.Text())
		switch {
		case m == nil:
		case strings.HasPrefix(m[1], "Control"):
			d.control = m[2]
		case strings.HasPrefix(m[1], "IdP"):
			d.idp, d.login, d.password = m[2], m[4], m[5]
		default:
			d.portals[m[1]] = m[2]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	require.Contains(t, d.portals, virginia)
	require.Contains(t, d.portals, frankfurt)
	require.NotEmpty(t, d.control)
	require.NotEmpty(t, d.password, "%+v", d)
	return d
}

// The main job as a newcomer does it: one Region is stopped, the other signs
// people in, and the page says what happened.
func testDemo(t *testing.T, chromium context.Context) {
	d := startDemo(t)
	b := newTab(t, chromium)
	b.open(d.control)
	b.reads("One SAML app, two Regions", "Nobody has signed in yet", "Stop "+virginia)
	b.wellMade("demo-fresh")

	b.follow("Stop " + virginia) // by keyboard
	b.reads("Stopped", "Start "+virginia)
	require.Error(t, chromedp.Do(b.ctx, chromedp.Navigate(d.portals[virginia])), "the Region that is stopped")

	b.open(d.portals[frankfurt])
	b.at(d.idp + "/*")
	b.until(`document.activeElement.id === "username"`)
	b.press(d.login + kb.Tab + d.password + kb.Enter)
	b.at(d.portals[frankfurt] + "/")
	b.reads(frankfurt, "Sign out")
	b.wellMade("demo-portal")

	b.open(d.control)
	b.listed(1, frankfurt, "sp-initiated", d.login, "Accepted")
	b.wellMade("demo-stopped")

	// A tab that stays open shows what happens in another.
	b.button("Start " + virginia)
	b.reads("Stop " + virginia)
	other := newTab(t, b.ctx)
	other.open(d.portals[virginia])
	other.at(d.portals[virginia] + "/")
	other.reads(virginia, "Sign out")
	b.listed(2, virginia, "sp-initiated", d.login, "Accepted")

	// The order of the URLs decides where the SAML tile leads.
	b.until(`document.querySelector("#order li").innerText.includes(` + jsString(virginia) + `)`)
	b.button("Swap ACS order")
	b.until(`document.querySelector("#order li").innerText.includes(` + jsString(frankfurt) + `)`)
	other.open(d.idp)
	other.until(`document.querySelector("a.tile")`)
	other.wellMade("demo-dashboard")
	other.do(chromedp.Click(chromedp.CSS(`a.tile[href$="/sso/saml"]`)))
	other.at(d.portals[frankfurt] + "/")
	b.listed(3, frankfurt, "idp-initiated", d.login, "Accepted")

	b.button("Replay the last response")
	b.listed(4, frankfurt, "Refused", "Replay")
	b.wellMade("demo-used")

	// The page says the same without its script.
	plain := newTab(t, b.ctx)
	plain.withoutScript()
	plain.open(d.control)
	plain.listed(4, frankfurt, "Refused", "Replay")
	plain.follow("Stop " + frankfurt)
	plain.reads("Start " + frankfurt)
}

// button presses the button with that name.
func (b *tab) button(name string) {
	b.t.Helper()
	b.until(`[...document.querySelectorAll("button")].some(x => x.textContent.trim() === ` + jsString(name) + `)`)
	b.do(chromedp.Click(chromedp.JSPath(`[...document.querySelectorAll("button")].find(x => x.textContent.trim() === ` + jsString(name) + `)`)))
}

// listed waits until that many sign-ins are listed, the last of which reads so.
func (b *tab) listed(n int, texts ...string) {
	b.t.Helper()
	b.until(`document.querySelectorAll("#sign-ins tbody tr").length === ` + strconv.Itoa(n))
	for _, text := range texts {
		b.until(`document.querySelector("#sign-ins tbody tr").innerText.includes(` + jsString(text) + `)`)
	}
}
