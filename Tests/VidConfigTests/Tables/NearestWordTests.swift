import Testing
import VidConfig

@Suite struct NearestWordTests {
    @Test func nearestWords() {
        #expect(editDistance(Array("kitten".unicodeScalars), Array("sitting".unicodeScalars)) == 3)
        #expect(editDistance(Array("ab".unicodeScalars), Array("ba".unicodeScalars)) == 1)
        #expect(editDistance([], Array("abc".unicodeScalars)) == 3)
        #expect(editDistance(Array("abc".unicodeScalars), []) == 3)
        #expect(nearestWord(to: "learningrate", among: ["type", "learning_rate"]) == "learning_rate")
        #expect(nearestWord(to: "LR", among: ["type", "learning_rate"]) == nil)
        #expect(nearestWord(to: "x", among: ["a", "b"]) == nil)
        #expect(nearestWord(to: "", among: ["a"]) == nil)
        #expect(nearestWord(to: "a", among: []) == nil)
        #expect(nearestWord(to: "b", among: ["a b"]) == nil)
    }
}
