package main

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTarget bounds a request target in bytes. Proxies refuse longer ones at about that length.
const maxTarget = 8 << 10

// plainPath returns the decoded path of a request target, and whether every program reads that path in the same way.
// The rules are for the path that the application reads, and an application may resolve, merge or decode what a proxy
// leaves alone. So a path is not plain if it has any of these, as such or percent-encoded:
//
//   - a segment "." or "..", or an empty segment, except at the end
//   - a backslash, which some programs read as a slash
//   - a semicolon, from which some programs drop the rest of the segment
//   - a control character, or bytes that are not UTF-8
//   - a percent sign, which a second decoding would read
//   - an encoded slash or dot
func plainPath(target string) (string, bool) {
	raw, _, _ := strings.Cut(target, "?")
	if len(target) > maxTarget || !strings.HasPrefix(raw, "/") || strings.Contains(raw, "#") {
		return "", false
	}
	path, err := url.PathUnescape(raw)
	if err != nil || !utf8.ValidString(path) || strings.ContainsFunc(path, unreadable) {
		return "", false
	}
	if strings.Count(path, "/") != strings.Count(raw, "/") || strings.Count(path, ".") != strings.Count(raw, ".") {
		return "", false
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		if s == "." || s == ".." || s == "" && i < len(segments)-1 {
			return "", false
		}
	}
	return path, true
}

func unreadable(r rune) bool { return strings.ContainsRune(`\;%`, r) || unicode.IsControl(r) }
