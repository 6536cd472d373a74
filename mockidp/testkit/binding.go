package testkit

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
)

// Deflated returns a message as the HTTP-Redirect binding encodes it in a query, before URL escaping (Bindings
// 3.4.4.1).
func Deflated(message []byte) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // the level is valid, and a Buffer takes every write
	_, _ = w.Write(message)
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// Inflated decodes what Deflated returns. It reads at most 1 MiB.
func Inflated(value string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), 1<<20))
}
