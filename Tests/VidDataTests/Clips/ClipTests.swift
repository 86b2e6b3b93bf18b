import Testing
import VidData
import VidSystem
import VidTensor

@Suite struct ClipTests {
    @Test func contentHash() {
        let clip = patternClip(ClipShape(frames: 2, channels: 3, rows: 4, columns: 5))
        #expect(clip.contentHash == patternClip(clip.shape, framesPerSecond: 9).contentHash)
        #expect(clip.contentHash.count == 64)
        #expect(clip.contentHash != patternClip(ClipShape(frames: 2, channels: 3, rows: 5, columns: 4)).contentHash)
        #expect(clip.contentHash != clip.selecting([1, 0]).contentHash)
        #expect(clip.selecting([0, 1]) == clip)
    }
}
