package browser_test

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
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// demo is a running program of examples/demo.
type demo struct {
	control, idp    string            // addresses, without a slash at the end
	redirector      string            // the same
	portals         map[string]string // by Region
	login, password string
	end             func() // by an interrupt, once
}

// demoLine matches a line with an address to open.
var demoLine = regexp.MustCompile(`^(.+?)\s+(http://\S+?)(/\S*)?(?:\s+\((?:sign in as ([^\s,]+).*, password (\S+)|.*)\))?$`)

// startDemo builds and starts the program, and reads its output.
func startDemo(t *testing.T) demo {
	t.Helper()
	program := filepath.Join(t.TempDir(), "demo")
	out, err := exec.Command("go", "build", "-o", program, "../../demo").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	d := demo{portals: map[string]string{}}
	d.end = sync.OnceFunc(func() {
		assert.NoError(t, cmd.Process.Signal(os.Interrupt))
		stuck := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer stuck.Stop()
		assert.NoError(t, cmd.Wait(), "the exit after an interrupt")
	})
	t.Cleanup(d.end)

	for lines := bufio.NewScanner(stdout); len(d.portals) < 2; {
		require.True(t, lines.Scan(), "missing output: %+v, %v", d, lines.Err())
		m := demoLine.FindStringSubmatch(lines.Text())
		switch {
		case m == nil:
		case strings.HasPrefix(m[1], "Control"):
			d.control = m[2]
		case strings.HasPrefix(m[1], "Redirector"):
			d.redirector = m[2]
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
	require.NotEmpty(t, d.redirector)
	require.NotEmpty(t, d.password, "%+v", d)
	return d
}

// The whole tour: the instance is extended to a second Region, the first one is
// stopped, the redirector leads to the other, a session is ended there, and the
// first one is started again.
func testDemo(t *testing.T, chromium context.Context) {
	d := startDemo(t)
	b := newTab(t, chromium)
	b.open(d.control)
	b.reads("One SAML app, two Regions", "No user has signed in yet",
		"Stop "+virginia, frankfurt+" Frankfurt Not added")
	b.checkPage("demo-fresh")
	b.follow("Extend to Frankfurt") // by keyboard
	b.reads("The instance is extended to "+frankfurt, frankfurt+" Frankfurt Up",
		"Stop "+frankfurt, virginia+": Replicated")
	b.until(`document.querySelectorAll("#extend .done").length === 3`)
	b.checkPage("demo-extended")

	// A tab that stays open shows what happens in another.
	other := newTab(t, b.ctx)
	other.open(d.portals[virginia])
	other.at(d.idp + "/*")
	other.until(`document.activeElement.id === "username"`)
	other.press(d.login + kb.Tab + d.password + kb.Enter)
	other.at(d.portals[virginia] + "/")
	other.reads(virginia, "Your access")
	b.listed(1, virginia, "sp-initiated", d.login, "Accepted")

	// The other Region can only end a session that it knows, and the redirector
	// leads to it only when it is healthy.
	b.reads("1 known here, 0 began here")
	b.probed(frankfurt, "Healthy")
	b.follow("Stop " + virginia)
	b.reads("Stopped", "Start "+virginia, virginia+": Unreachable")
	b.probed(virginia, "Not healthy")
	require.Error(t, chromedp.Do(other.ctx, chromedp.Navigate(d.portals[virginia])), "the Region that is stopped")

	testDemoWithoutPrimary(t, d, b, other)

	b.button("Start " + virginia)
	// Replicated: it has received the end of the session.
	b.reads("Stop "+virginia, virginia+" is up again", frankfurt+": Replicated")
	b.reads("The session that you ended: " + virginia + " ✓ ended " + frankfurt + " ✓ ended")
	b.checkPage("demo-ended")
	other.open(d.portals[virginia])
	other.at(d.idp + "/*") // the session has ended: it asks for a sign-in
	other.until(`document.activeElement.id === "username"`)
	other.press(d.login + kb.Tab + d.password + kb.Enter)
	other.at(d.portals[virginia] + "/")
	other.reads(virginia, "Your access")
	b.listed(3, virginia, "sp-initiated", d.login, "Accepted")

	testDemoControls(t, d, b, other)

	// A page that stays open says that the demo has ended. The browser logs errors
	// too.
	b.open("about:blank")
	left := openTab(t, b.ctx)
	left.open(d.control)
	require.False(t, onPage[bool](left, `document.getElementById("gone").checkVisibility()`))
	d.end()
	left.reads("The demo does not answer any more.")
}

// testDemoWithoutPrimary tests what works while the primary is stopped.
func testDemoWithoutPrimary(t *testing.T, d demo, b, other *tab) {
	other.open(d.redirector)
	other.at(d.portals[frankfurt] + "/")
	other.reads(frankfurt, "Your access", virginia+" (N. Virginia) can't be reached from here")
	b.listed(2, frankfurt, "sp-initiated", d.login, "Accepted")
	b.checkPage("demo-stopped")
	other.checkPage("demo-portal")
	other.reads("1 to 20 of 24") // closed, as there are many: the search opens what it finds
	other.typeIn("#q", "sand\r")
	other.reads("1 account, 0 applications")
	other.click(`a[href$="/AdministratorAccess"]`)
	other.reads("AdministratorAccess", "Sandbox")

	other.open(d.portals[frankfurt] + "/sessions")
	other.reads("N. Virginia", "This session")
	other.checkPage("demo-sessions")
	b.button("End that session")
	b.reads(frankfurt+" ended a session of "+d.login+" that began in "+virginia,
		"The session that you ended: "+virginia+" is stopped, and has not received it yet")
	other.open(d.portals[frankfurt] + "/sessions")
	other.reads("This session")
	other.until(`!document.querySelector('form[action="/sessions/end"]')`)
}

// testDemoControls tests the rest of the page.
func testDemoControls(t *testing.T, d demo, b, other *tab) {
	// The order of the URLs decides where the SAML tile leads.
	b.until(`document.querySelector("#order li").innerText.includes(` + jsString(virginia) + `)`)
	b.button("Swap ACS order")
	b.until(`document.querySelector("#order li").innerText.includes(` + jsString(frankfurt) + `)`)
	other.open(d.idp)
	other.until(`document.querySelectorAll("a.tile").length === 2`)
	other.checkPage("demo-dashboard")
	other.do(chromedp.Click(chromedp.CSS(`a.tile[href$="/sso/saml"]`)))
	other.at(d.portals[frankfurt] + "/")
	b.listed(4, frankfurt, "idp-initiated", d.login, "Accepted")

	b.button("Replay the last response")
	b.listed(5, frankfurt, "Refused", "Replay")
	b.button("Off for " + virginia)
	b.reads("The redirector leads no user to " + virginia)
	other.open(d.redirector)
	other.at(d.portals[frankfurt] + "/")
	b.button("Auto for " + virginia)
	b.reads("The redirector leads to " + virginia + " while")
	b.checkPage("demo-used")

	// The page says the same without its script.
	plain := newTab(t, b.ctx)
	plain.withoutScript()
	plain.open(d.control)
	plain.listed(5, frankfurt, "Refused", "Replay")
	plain.follow("Stop " + frankfurt)
	plain.reads("Start " + frankfurt)
}

// button presses the button with that name.
func (b *tab) button(name string) {
	b.t.Helper()
	b.until(`[...document.querySelectorAll("button")].some(x => x.textContent.trim() === ` + jsString(name) + `)`)
	b.do(chromedp.Click(chromedp.JSPath(`[...document.querySelectorAll("button")].find(x => x.textContent.trim() === ` + jsString(name) + `)`)))
}

// probed waits until the page shows that health of a Region.
func (b *tab) probed(region, health string) {
	b.t.Helper()
	b.until(`[...document.querySelectorAll(".routing")].some(x => x.textContent.startsWith(` + jsString(health) + `) && x.textContent.includes(` + jsString(" for "+region) + `))`)
}

// listed waits until n sign-ins are listed, the last of them with these texts.
func (b *tab) listed(n int, texts ...string) {
	b.t.Helper()
	b.until(`document.querySelectorAll("#sign-ins tbody tr").length === ` + strconv.Itoa(n))
	for _, text := range texts {
		b.until(`document.querySelector("#sign-ins tbody tr").innerText.includes(` + jsString(text) + `)`)
	}
}
