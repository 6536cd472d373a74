package theme

import (
	"bytes"
	"embed"
	"encoding/base64"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/text/language"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// Config describes a theme. Its zero value is valid. New copies it.
type Config struct {
	// Name is the name of the service, in the header and the titles of pages. Empty: none.
	Name string
	// Logo is an image for the header, an SVG or PNG of at most 64 KiB. Empty: none. It stands before the name, so it
	// has no text of its own.
	Logo []byte
	// Colors are the colors of links, buttons and the header. The zero value is valid.
	Colors Colors
	// Support is a link to help, on every page: an https or mailto URL. Empty: none.
	Support string
	// Notice is a sentence on every page, such as an announcement. It can be a key of Texts. Empty: none.
	Notice string
	// Texts has catalogs of texts, such as "de.json": see the package documentation. An entry replaces the built-in one
	// of the same language and key. Nil: the built-in ones, English and German.
	Texts fs.FS
}

// Theme is a checked Config. It is safe for concurrent use.
type Theme struct {
	cfg     Config
	style   string // of Config.Colors
	logo    Logo
	texts   []*Texts // English first
	matcher language.Matcher
}

// Logo is the image of a header.
type Logo struct {
	Data []byte
	Type string // its media type; empty: there is none
}

//go:embed texts
var builtIn embed.FS

// New returns the theme that cfg describes, or an *Error. The catalogs in base are those of a package that has pages of
// its own; Config.Texts can replace their texts.
func New(cfg Config, base ...fs.FS) (*Theme, error) {
	t := &Theme{cfg: cfg}
	var err error
	if t.style, err = cfg.Colors.style(); err != nil {
		return nil, err
	}
	if t.logo, err = parseLogo(cfg.Logo); err != nil {
		return nil, err
	}
	if cfg.Support != "" && !isLink(cfg.Support) {
		const want = "an https or mailto URL without user information"
		return nil, &Error{Reason: ReasonConfig, Rule: "Config.Support", Want: want, Got: "another"}
	}
	own, err := fs.Sub(builtIn, "texts")
	if err != nil {
		panic("theme: " + err.Error()) // the embedded files are wrong
	}
	base = append([]fs.FS{own}, base...)
	if cfg.Texts != nil {
		base = append(base, cfg.Texts)
	}
	if err := t.parseTexts(base); err != nil {
		return nil, err
	}
	return t, nil
}

// Name returns Config.Name.
func (t *Theme) Name() string { return t.cfg.Name }

// Support returns Config.Support.
func (t *Theme) Support() string { return t.cfg.Support }

// Notice returns Config.Notice.
func (t *Theme) Notice() string { return t.cfg.Notice }

// English returns the English texts.
func (t *Theme) English() *Texts { return t.texts[0] }

// Logo returns the image of the header. Its type is empty if there is none.
func (t *Theme) Logo() Logo { return t.logo }

// Style returns the rules of a style sheet that set the theme's colors, for a body element with a class: --accent,
// --on-accent, --accent-soft, --bar and --on-bar. It is empty without Config.Colors.
func (t *Theme) Style() string { return t.style }

// RenderPage shows a page of package acs, middleware or portal in this theme, for their Config.RenderPage.
func (t *Theme) RenderPage(w http.ResponseWriter, r *http.Request, p acs.Page) {
	t.PageLook(r).WritePage(w, p)
}

// PageLook returns the look of a page in the language that suits a browser best, for acs.Config.PageLook.
func (t *Theme) PageLook(r *http.Request) acs.PageLook {
	texts := t.Texts(r)
	return acs.PageLook{
		Language: texts.Language(), Dir: texts.Dir(), Translate: texts.HTML, Name: t.cfg.Name, Logo: t.logo.dataURL(),
		Support: t.cfg.Support, Notice: t.cfg.Notice, Style: t.style,
	}
}

const maxLogo = 64 << 10

func parseLogo(data []byte) (Logo, error) {
	if len(data) == 0 {
		return Logo{}, nil
	}
	const want = "an SVG or PNG of at most 64 KiB"
	if len(data) > maxLogo {
		return Logo{}, &Error{Reason: ReasonConfig, Rule: "Config.Logo", Want: want, Got: "a longer one"}
	}
	out := Logo{Data: bytes.Clone(data)}
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		out.Type = "image/png"
	case bytes.Contains(data[:min(len(data), 1024)], []byte("<svg")):
		out.Type = "image/svg+xml"
	default:
		return Logo{}, &Error{Reason: ReasonConfig, Rule: "Config.Logo", Want: want, Got: "another format"}
	}
	return out, nil
}

// dataURL returns the image for a page without other files.
func (l Logo) dataURL() template.URL {
	if l.Type == "" {
		return ""
	}
	return template.URL("data:" + l.Type + ";base64," + base64.StdEncoding.EncodeToString(l.Data))
}

// isLink reports whether a page may link to a URL: https or mailto, or http of this machine.
func isLink(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil {
		return false
	}
	switch u.Scheme {
	case "mailto":
		return strings.Contains(u.Opaque, "@")
	case "https":
		return u.Hostname() != ""
	}
	return u.Scheme == "http" && saml.IsLoopback(u.Hostname())
}
