package integrity

// Vouch notes that the operator knows that what is here replaces whatever the
// Region had before. What it was in earlier generations is no evidence any more.
// now is seconds of Unix time: it numbers the generations from here on, so that
// they come after all before, those too that this Identity has never heard of.
//
// A copy of the disks from before this, put back without the operator's word, has
// none of the generations after it, and is found out by them.
func (d *Identity) Vouch(now int64) {
	number := uint64(max(now, 0))
	if n := len(d.Generations); n > 0 {
		number = max(number, d.Generations[n-1].Number+1)
	}
	d.Vouched, d.Damage = true, nil
	d.Generations = []Generation{{Number: number, ID: "vouched"}}
}

// judgeOther judges what is shown of another store than the Region's own: one
// that came before it, and was replaced, or one that came after it, if an older
// copy of the disks was put back.
func (d *Identity) judgeOther(line, store string, p *Proof) (damaged bool, why string) {
	if p == nil {
		return false, ""
	}
	if g, ok := d.Key.Check(p.Token, Place{line, store, p.Seq}, p.Item); ok && d.lost(g) {
		return true, lostGeneration(g)
	}
	return false, ""
}
