package merge

// Doubt says whether what is known of a Region's sessions may be older than what
// was known before, so that some of them may have ended. Meanwhile none of them
// lets anybody in.
func (s *Sessions) Doubt(region string, doubted bool) {
	if s.doubted[region] = doubted; !doubted {
		delete(s.doubted, region)
	}
}

// Doubt says whether what is known of a Region's log may be older than what was
// known before. Meanwhile its applications are not shown. It returns the names
// touched.
func (d *Directory) Doubt(region string, doubted bool) []Name {
	l := d.of(region)
	if l.doubted == doubted {
		return nil
	}
	l.doubted = doubted
	return l.applications()
}
