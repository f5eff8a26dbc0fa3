package diagnose

import (
	"slices"
	"strings"

	"xrdpfix/xrdpconf"
)

// cutKeys are the settings that are worth bringing back from behind a cut:
// those that decide about security and about the port.
var cutKeys = []string{"port", "security_layer", "crypt_level", "certificate", "key_file", "ssl_protocols", "tls_ciphers"}

// Meant is xrdp.ini as the person who wrote it meant it: brackets in a value no
// longer end [Globals], and a setting that xrdp does not reach, or only half,
// stands where it does. Lost are the settings that this brings back. Where
// nothing is cut short the file itself is returned. The error is that of an
// edit which the file does not allow.
func (f *Facts) Meant() (file *xrdpconf.File, lost []string, err error) {
	raw := f.ConfigFile()
	if cut, ok := raw.Cut(); !ok || len(cut.Lost) == 0 {
		return raw, nil, nil
	}
	if file, err = raw.Unbracket(); err != nil {
		return raw, nil, err
	}
	var back []xrdpconf.Change
	if cut, ok := file.Cut(); ok {
		for _, p := range cut.Lost {
			i := slices.IndexFunc(cutKeys, func(k string) bool { return strings.EqualFold(k, p.Key) })
			if _, live := file.Lookup(xrdpconf.SectionGlobals, p.Key); i < 0 || live {
				continue
			}
			back = slices.DeleteFunc(back, func(c xrdpconf.Change) bool { return strings.EqualFold(c.Key, p.Key) })
			back = append(back, xrdpconf.Change{Section: xrdpconf.SectionGlobals, Key: p.Key, Value: p.Value, DespiteCut: true})
		}
	}
	if file, err = file.Edit(back...); err != nil {
		return raw, nil, err
	}
	for _, it := range file.All(xrdpconf.SectionGlobals) {
		if _, was := raw.Lookup(xrdpconf.SectionGlobals, it.Key); !was && !slices.Contains(lost, it.Key) {
			lost = append(lost, it.Key)
		}
	}
	return file, lost, nil
}

// MeantServer is [Globals] of that file as the installed xrdp would use it.
func (f *Facts) MeantServer() xrdpconf.Server {
	file, _, _ := f.Meant()
	return xrdpconf.ReadServer(file, f.version(), nil)
}
