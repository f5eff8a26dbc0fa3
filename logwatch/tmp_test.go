package logwatch
import ("testing";"context";"time")
func BenchmarkTmp(b *testing.B){
 p:="/var/tmp/lt/s256/var/log/xrdp.log"
 b.SetBytes(256<<20); b.ReportAllocs()
 for b.Loop(){
 var g Grouper; var f OwnFilter
 HistoryMatches(context.Background(),p,HistoryOptions{Location:time.UTC},func(m Match)error{ g.AddMatch(m)
  for _,c:=range g.Done(){ f.Add(c) }
  return nil})
 }
}
