package diagnose

import (
	"slices"
	"sync"

	"xrdpfix/xrdpconf"
)

// parsedFile is a configuration file and what it was parsed from.
type parsedFile struct {
	name    string
	version xrdpconf.Version
	data    string
	file    *xrdpconf.File
}

// parsed are the files that were parsed last. The facts are plain values that are copied
// and changed freely, and each of some twenty checks asks them for xrdp.ini: the same
// bytes are not read again for it. A parsed file is never changed, so all may have it.
var parsed struct {
	sync.Mutex
	files []parsedFile // the one asked for last stands last
}

// maxParsed holds xrdp.ini and sesman.ini, and both of a plan beside them.
const maxParsed = 4

// parse is xrdpconf.Parse, as that version of xrdp reads.
func parse(name string, data []byte, v xrdpconf.Version) *xrdpconf.File {
	parsed.Lock()
	defer parsed.Unlock()
	i := slices.IndexFunc(parsed.files, func(p parsedFile) bool {
		return p.name == name && p.version == v && p.data == string(data)
	})
	if i < 0 {
		if len(parsed.files) == maxParsed {
			parsed.files = slices.Delete(parsed.files, 0, 1)
		}
		i = len(parsed.files)
		parsed.files = append(parsed.files, parsedFile{name, v, string(data), xrdpconf.Parse(name, data, xrdpconf.ForVersion(v))})
	}
	p := parsed.files[i]
	parsed.files = append(slices.Delete(parsed.files, i, i+1), p)
	return p.file
}

// version is that of the installed xrdp; zero where it is not known.
func (f *Facts) version() xrdpconf.Version {
	v, _ := xrdpconf.ParseVersion(f.Package.Value.Version)
	return v
}
