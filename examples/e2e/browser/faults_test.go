package browser_test

import (
	"context"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

// contrastJS has the contrast of WCAG 2.2 between two colours, and finds which
// colour lies behind an element.
const contrastJS = `
	const rgba = c => c.match(/[\d.]+/g).map(Number);
	const light = c => {
		const [r, g, b] = rgba(c).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b;
	};
	const ground = e => {
		for (; e; e = e.parentElement) {
			const c = getComputedStyle(e).backgroundColor;
			if ((rgba(c)[3] ?? 1) === 1) return c;
		}
		return "rgb(255, 255, 255)";
	};
	const contrast = (c, d) => { const [a, b] = [light(c), light(d)].sort((a, b) => b - a); return (a + .05) / (b + .05) };
`

// faultsJS lists the faults of the open page, in a window of that width.
const faultsJS = `(width => {` + contrastJS + `
	const faults = [], fault = (ok, what) => { if (!ok) faults.push(what) };
	const all = css => [...document.querySelectorAll(css)];
	const box = e => e.getBoundingClientRect();
	const shown = e => box(e).width > 0 && box(e).height > 0;
	// Clipped elements are for screen readers alone.
	const clipped = e => e && (getComputedStyle(e).clipPath !== "none" || clipped(e.parentElement));
	const what = e => e.tagName.toLowerCase() + (e.id && "#" + e.id) + " " +
		JSON.stringify(e.textContent.trim().slice(0, 30));
	const name = e => e.getAttribute("aria-label") || e.labels && [...e.labels].map(l => l.textContent).join("") ||
		(e.matches("input") ? "" : e.textContent);

	fault(document.compatMode === "CSS1Compat", "quirks mode");
	fault(document.documentElement.lang, "no lang");
	fault(document.title.trim(), "no title");
	fault(document.querySelector("meta[name=viewport][content*='width=device-width']"), "no viewport");
	fault(all("h1").length === 1 && shown(all("h1")[0]) && all("h1")[0].textContent.trim(), "h1: " + all("h1").length);
	fault(all("main").length === 1 && all("main h1").length === 1,
		"main: " + all("main").length + ", with h1: " + all("main h1").length);
	let level = 0;
	for (const h of all("h1,h2,h3,h4,h5,h6")) {
		fault(+h.tagName[1] <= level + 1, "heading out of order: " + what(h));
		level = +h.tagName[1];
	}
	const ids = all("[id]").map(e => e.id);
	fault(new Set(ids).size === ids.length, "duplicate id");
	for (const e of all("input:not([type=hidden]),select,textarea,button,a[href],summary"))
		fault(name(e).trim(), "no name: " + what(e));
	for (const e of all("img")) fault(e.hasAttribute("alt") && e.complete && e.naturalWidth > 0, "image: " + e.src);
	for (const e of all("input:not([type=hidden]),button,.button,summary"))
		fault(!shown(e) || box(e).height >= 24, "too small to hit: " + what(e));
	for (const e of all("body *")) {
		if (!shown(e) || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const s = getComputedStyle(e);
		const size = parseFloat(s.fontSize), large = size >= 24 || size >= 18.66 && s.fontWeight >= 700;
		fault(contrast(s.color, ground(e)) >= (large ? 3 : 4.5), "hard to read: " + what(e));
	}

	fault(innerWidth === width, "the window is " + innerWidth + " wide");
	fault(document.documentElement.scrollWidth <= width, "scrolls sideways: " + document.documentElement.scrollWidth);
	for (const e of all("body *")) {
		if (!shown(e) || !e.checkVisibility() || clipped(e)) continue;
		fault(box(e).left >= -1 && box(e).right <= width + 1, "sticks out: " + what(e));
		fault(getComputedStyle(e).overflowX === "visible" || e.scrollWidth <= e.clientWidth + 1 ||
			getComputedStyle(e).textOverflow === "ellipsis", "cut off: " + what(e));
	}
	fault(getComputedStyle(document.body).fontFamily !== "" && document.styleSheets.length > 0, "no style");
	return faults;
})`

func (b *tab) faults(width int64) []string {
	b.t.Helper()
	b.size(width, 900)
	b.until("innerWidth === " + strconv.FormatInt(width, 10))
	return onPage[[]string](b, faultsJS+"("+strconv.FormatInt(width, 10)+")")
}

// The checks of this file find each fault.
func testPageChecks(t *testing.T, chromium context.Context) {
	b := openTab(t, chromium)
	b.open("data:text/html," + url.PathEscape(`<h1>One</h1><h1>Two</h1><h4 id=x style="color:#999">Four</h4><p id=x style="width:2000px;background:red">wide</p>
		<div style="width:50px;overflow:hidden"><p style="width:500px">long</p></div><input type=text style="height:9px"><button></button><a href="/x"></a>`))
	found := b.faults(390)
	for _, want := range []string{
		"quirks mode", "no lang", "no title", "no viewport", "h1: 2", "main: 0, with h1: 0", `heading out of order: h4#x "Four"`, "duplicate id",
		`no name: input ""`, `no name: button ""`, `no name: a ""`, `too small to hit: input ""`, `sticks out: p#x "wide"`, `cut off: div "long"`, "no style", `hard to read: h4#x "Four"`,
	} {
		assert.Contains(t, found, want)
	}
	assert.Contains(t, found, "scrolls sideways: 2008")
}
