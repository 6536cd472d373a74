package portal

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// sessionFrom is where a session began: what the user recognizes it by. The portal keeps it in sessions.Session.Data.
type sessionFrom struct {
	Browser string `json:"browser,omitempty"` // such as "Firefox"; empty: not known
	System  string `json:"system,omitempty"`  // such as "Windows"; empty: not known
	Addr    string `json:"addr,omitempty"`    // the IP address of the browser, or of its proxy
}

// Known reports whether the browser or its system is known.
func (f sessionFrom) Known() bool { return f.Browser != "" || f.System != "" }

// sentFrom describes the browser of a request. It keeps no text that the client chose.
func (p *Portal) sentFrom(r *http.Request) []byte {
	from := sessionFrom{Addr: p.clientAddr(r)}
	from.Browser, from.System = readUserAgent(r.UserAgent())
	b, err := json.Marshal(from)
	if err != nil {
		return nil
	}
	return b
}

// clientAddr returns the IP address of a client, without the port, or "".
func (p *Portal) clientAddr(r *http.Request) string {
	addr := r.RemoteAddr
	if p.cfg.ClientAddr != nil {
		addr = p.cfg.ClientAddr(r)
	}
	ip, err := netip.ParseAddr(addr)
	if with, noPort := netip.ParseAddrPort(addr); noPort == nil {
		ip, err = with.Addr(), nil
	}
	if err != nil {
		return ""
	}
	return ip.Unmap().WithZone("").String()
}

// beganFrom returns where a session began. It is zero for sessions of earlier versions and for programs.
func beganFrom(s sessions.Session) (from sessionFrom) {
	if s.Client != "" || json.Unmarshal(s.Data, &from) != nil {
		return sessionFrom{}
	}
	return from
}

// A browser's User-Agent names others, for old servers: Edge's names Chrome, and Chrome's names Safari. So the first of
// these that it has counts.
var (
	browserNames = [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chrome"}, {"Safari/", "Safari"},
	}
	systemNames = [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"}, {"Linux", "Linux"}, {"FreeBSD", "FreeBSD"},
	}
)

// readUserAgent returns the names of a browser and of its system, or "" for one that isn't known. The result is always
// one of the names above, whatever the header says.
func readUserAgent(header string) (browser, system string) {
	header = header[:min(len(header), 512)]
	return firstNamed(header, browserNames), firstNamed(header, systemNames)
}

func firstNamed(header string, names [][2]string) string {
	for _, n := range names {
		if strings.Contains(header, n[0]) {
			return n[1]
		}
	}
	return ""
}
