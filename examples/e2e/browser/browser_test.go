package browser_test

import (
	"context"
	"testing"
)

// TestBrowser signs users in with a real Chromium. Each part has a world and
// a browser profile of its own; they share the process.
func TestBrowser(t *testing.T) {
	chromium := startChromium(t)
	for _, part := range []struct {
		name string
		test func(*testing.T, context.Context)
	}{
		{"Complaints", testComplaints},
		{"Tiles", testTiles},
		{"Cold", testCold},
		{"OtherRegion", testOtherRegion},
		{"SignOut", testSignOut},
		{"LogoutDuringAPartition", testLogoutDuringAPartition},
		{"Identity", testIdentity},
		{"Cookies", testCookies},
		{"LaxRequestCookie", testLaxRequestCookie},
		{"KeyboardWithoutScript", testKeyboardWithoutScript},
		{"FindsWithoutScript", testFindsWithoutScript},
		{"PageChecks", testPageChecks},
		{"Pages", testPages},
		{"Audit", testAudit},
		{"Compose", testCompose},
		{"CancelAndBack", testCancelAndBack},
		{"PageScript", testPageScript},
		{"Programs", testPrograms},
		{"Middleware", testMiddleware},
		{"ProgramOfSAMLSP", testProgramOfSAMLSP},
		{"ForwardAuth", testForwardAuth},
		{"Demo", testDemo},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, chromium) })
	}
}
