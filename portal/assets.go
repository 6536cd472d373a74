package portal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs/theme"
)

// brand is the part of a page that is the same for all users.
type brand struct {
	Name            string // of the portal
	Support, Notice string // of theme.Config
	Sheet, Script   string // addresses
	Logo            string // the address of the logo, or ""
	AWS             bool   // Config.AWS
}

// asset is a file that pages load.
type asset struct {
	name string // with its hash, if it has one
	kind string // its media type
	data []byte
}

const (
	defaultName  = "Meridian access portal"
	pathAssets   = "/static/"
	kindSheet    = "text/css; charset=utf-8"
	kindScript   = "text/javascript; charset=utf-8"
	sheetName    = "portal.css"
	scriptName   = "portal.js"
	hashedFor    = "public, max-age=31536000, immutable"
	unhashedFor  = "public, max-age=300"
	hashedDigits = 16
)

// newAssets returns the portal's files by their names without a hash, and the brand that refers to them.
func newAssets(t *theme.Theme) (map[string]asset, brand) {
	read := func(name string) []byte {
		b, err := fs.ReadFile(files, "static/"+name)
		if err != nil {
			panic("portal: " + err.Error())
		}
		return b
	}
	all := map[string]asset{
		"icon.svg": {"icon.svg", "image/svg+xml", read("icon.svg")},
		sheetName:  hashedAsset(sheetName, kindSheet, append(read(sheetName), t.Style()...)),
		scriptName: hashedAsset(scriptName, kindScript, read(scriptName)),
	}
	b := brand{
		Name: t.Name(), Support: t.Support(), Notice: t.Notice(),
		Sheet: pathAssets + all[sheetName].name, Script: pathAssets + all[scriptName].name,
	}
	if logo := t.Logo(); logo.Type != "" {
		name := "logo" + map[string]string{"image/png": ".png", "image/svg+xml": ".svg"}[logo.Type]
		all[name] = hashedAsset(name, logo.Type, logo.Data)
		b.Logo = pathAssets + all[name].name
	}
	return all, b
}

func hashedAsset(name, kind string, data []byte) asset {
	sum := sha256.Sum256(data)
	base, extension, _ := strings.Cut(name, ".")
	return asset{base + "-" + hex.EncodeToString(sum[:])[:hashedDigits] + "." + extension, kind, data}
}

// static serves the portal's files. A name with another hash is of a node with another version of the portal, and gets
// this node's file, which the browser keeps for a short time only.
func (p *Portal) static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	base, extension, _ := strings.Cut(name, ".")
	stem, _, hashed := strings.Cut(base, "-")
	a, ok := p.assets[stem+"."+extension]
	if !ok || hashed && a.name == stem+"."+extension {
		p.notFound(w, r)
		return
	}
	cache := unhashedFor
	if hashed && name == a.name {
		cache = hashedFor
	}
	h := w.Header()
	h.Set("Cache-Control", cache)
	h.Set("Content-Type", a.kind)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox") // a logo can be an SVG
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.data))
}
