package theme

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// Colors are the colors of the pages, each as "#rrggbb". Text in them, and on them, has a contrast of at least 4.5 to 1
// (WCAG 2.2 1.4.3): otherwise New returns an error with ReasonContrast.
type Colors struct {
	// Accent is the color of links and buttons on light pages. Empty: the portal's, by Region.
	Accent string
	// AccentDark is that color on dark pages. Empty: Accent, made lighter until it is legible.
	AccentDark string
	// Header is the background of the header. The text in it is black or white. Empty: a dark blue.
	Header string
}

type color [3]float64 // red, green and blue, from 0 to 1

// The backgrounds of the pages, as in the style sheets.
var (
	white, black = color{1, 1, 1}, color{}
	lightCard    = white
	lightGround  = mustColor("#f2f4f6")
	darkCard     = mustColor("#1b2027")
	darkGround   = mustColor("#101317")
)

const (
	minContrast = 4.5
	softness    = 0.12 // of the accent in the background of a chosen row
)

var colorPattern = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func parseColor(text string) (color, bool) {
	var out color
	if !colorPattern.MatchString(text) {
		return out, false
	}
	n, _ := strconv.ParseUint(text[1:], 16, 32)
	for i := range out {
		out[i] = float64(n>>(16-8*i)&0xff) / 255
	}
	return out, true
}

func mustColor(text string) color {
	c, ok := parseColor(text)
	if !ok {
		panic("theme: color " + text)
	}
	return c
}

func (c color) String() string {
	part := func(i int) int { return int(math.Round(c[i] * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(0), part(1), part(2))
}

// luminance is the relative luminance (WCAG 2.2).
func (c color) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast is the contrast ratio (WCAG 2.2), from 1 to 21.
func contrast(a, b color) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// mix returns c with a part of another color, as it is shown.
func (c color) mix(other color, part float64) color {
	for i := range c {
		c[i] += (other[i] - c[i]) * part
	}
	return mustColor(c.String())
}

// on returns the text color on a background: white or black, whichever has more contrast, which is always enough.
func (c color) on() color {
	if contrast(c, white) >= contrast(c, black) {
		return white
	}
	return black
}

// worst returns the lowest contrast of text in a color on a page's backgrounds.
func (c color) worst(card, ground color) float64 {
	return min(contrast(c, card), contrast(c, ground), contrast(c, card.mix(c, softness)))
}

// style returns the rules that set the colors.
func (c Colors) style() (string, error) {
	out := ""
	if c.Accent == "" && c.AccentDark != "" {
		return "", &Error{Reason: ReasonConfig, Rule: "Colors.AccentDark", Want: "Colors.Accent too", Got: c.AccentDark}
	}
	if c.Accent != "" {
		light, err := accent("Colors.Accent", c.Accent, lightCard, lightGround)
		if err != nil {
			return "", err
		}
		dark := light
		if c.AccentDark != "" {
			if dark, err = accent("Colors.AccentDark", c.AccentDark, darkCard, darkGround); err != nil {
				return "", err
			}
		}
		for dark.worst(darkCard, darkGround) < minContrast {
			dark = dark.mix(white, 0.1)
		}
		out += accentStyle(light, lightCard) + "@media (prefers-color-scheme:dark){" + accentStyle(dark, darkCard) + "}\n"
	}
	if c.Header != "" {
		header, ok := parseColor(c.Header)
		if !ok {
			return "", &Error{Reason: ReasonConfig, Rule: "Colors.Header", Want: "#rrggbb", Got: c.Header}
		}
		out += fmt.Sprintf("body[class]{--bar:%s;--on-bar:%s}\n", header, header.on())
	}
	return out, nil
}

func accent(field, text string, card, ground color) (color, error) {
	c, ok := parseColor(text)
	if !ok {
		return c, &Error{Reason: ReasonConfig, Rule: field, Want: "#rrggbb", Got: text}
	}
	if got := c.worst(card, ground); got < minContrast {
		want := fmt.Sprintf("a contrast of %.1f:1 on %s, %s and %s", minContrast, card, ground, card.mix(c, softness))
		return c, &Error{Reason: ReasonContrast, Rule: field, Want: want, Got: fmt.Sprintf("%.2f:1 with %s", got, text)}
	}
	return c, nil
}

// accentStyle is more specific than a rule for one class, so the accent replaces that of the Region.
func accentStyle(c, card color) string {
	return fmt.Sprintf("body[class]{--accent:%s;--on-accent:%s;--accent-soft:%s}\n", c, c.on(), card.mix(c, softness))
}
