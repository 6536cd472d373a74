package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Limits on what a Region may answer the parent.
const (
	askLimit  = 20 * time.Second
	maxAnswer = 16 << 20
)

// ask asks a Region at its door.
func ask[T any](ctx context.Context, w *world, s *site, method, path string) (out T, err error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+loopback.Address(s.Control)+path, nil)
	if err != nil {
		return out, err
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return out, fmt.Errorf("%s: %w", s.Name, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return out, fmt.Errorf("%s: %s answered %s", s.Name, path, res.Status)
	}
	return out, json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&out)
}

// differences compares what all Regions know.
func (w *world) differences(ctx context.Context) (replica.Report, error) {
	var all []replica.Digest
	for _, s := range w.sites {
		d, err := ask[replica.Digest](ctx, w, s, http.MethodGet, pathDigest)
		if err != nil {
			return replica.Report{}, err
		}
		all = append(all, d)
	}
	return replica.Compare(all...), nil
}
