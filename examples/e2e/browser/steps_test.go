package browser_test

import (
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// The tiles of the dashboard.
const (
	samlTile     = "AWS access portal"
	bookmarkTile = "Access portal eu-central-1"
)

// signInAtIdP fills in the sign-in page by keyboard, where the first field has
// the focus already.
func (b *tab) signInAtIdP(w *world, login string) {
	b.t.Helper()
	b.at(w.idp.URL + "/*")
	b.until(`document.activeElement.id === "username"`)
	b.press(login + kb.Tab + password + kb.Enter)
}

// dashboard signs in at the identity provider and stays there.
func (b *tab) dashboard(w *world, login string) {
	b.t.Helper()
	b.open(w.idp.SignInURL())
	b.signInAtIdP(w, login)
	b.at(w.idp.DashboardURL())
	b.reads("My Apps", samlTile, bookmarkTile)
}

// tile clicks a tile of the dashboard.
func (b *tab) tile(label string) {
	b.t.Helper()
	href := onPage[string](b, `[...document.querySelectorAll("a.tile")].find(a => a.innerText.includes(`+jsString(label)+`)).getAttribute("href")`)
	b.click(chromedp.CSS(`a.tile[href="` + href + `"]`))
}

// arrived waits for a Region's portal with that user signed in, and checks the ACS
// and the flow.
func (b *tab) arrived(w *world, region, name, flow string) {
	b.t.Helper()
	b.at(w.portals[region] + "/")
	b.reads(name, region, "Your access")
	v, _ := w.verdict()
	require.True(b.t, v.Accepted, "%+v", v)
	require.Equal(b.t, [3]string{region, w.acs(region), flow}, [3]string{v.Region, v.ACS, v.Flow})
}

// fill sets the value of a field, as if it was typed.
func (b *tab) fill(css, value string) {
	b.t.Helper()
	b.until(`document.querySelector(` + jsString(css) + `)`)
	_ = onPage[bool](b, `(document.querySelector(`+jsString(css)+`).value = `+jsString(value)+`, true)`)
}

// typeIn presses keys in an input.
func (b *tab) typeIn(css chromedp.CSS, keys string) {
	b.t.Helper()
	b.do(chromedp.Focus(css))
	b.press(keys)
}

// back presses the browser's button.
func (b *tab) back() { b.t.Helper(); b.do(chromedp.NavigateBack()) }

// signOut presses the portal's button.
func (b *tab) signOut(w *world, region string) {
	b.t.Helper()
	b.click(".who summary")
	b.click(`form[action="/sign-out"] button`)
	b.at(w.portals[region] + "/signed-out")
	b.reads("You are signed out")
}

// signOutAtIdP presses the identity provider's button.
func (b *tab) signOutAtIdP(w *world) {
	b.t.Helper()
	b.open(w.idp.DashboardURL())
	b.click(`form[action="/login/signout"] button`)
	b.at(w.idp.SignInURL())
}
