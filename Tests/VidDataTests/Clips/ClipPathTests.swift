import Testing
import VidData
import VidSystem
import VidTestSupport

/// The addresses of parts of clips, and which frames belong to them.
@Suite struct ClipPathTests {
    @Test(arguments: [
        ("a.mp4#t=1.5,4", 1.5, 4.0, "t=1.5,4"), ("a.mp4#t=,20", 0, 20, "t=0,20"), ("a.mp4#t=10", 10, .infinity, "t=10"),
        ("a.mp4#t=npt:10,20", 10, 20, "t=10,20"), ("a.mp4#t=1:02.5,0:01:03", 62.5, 63, "t=62.5,63"),
        ("a.mp4#t=0.1,0.30000000000000004", 0.1, 0.30000000000000004, "t=0.1,0.30000000000000004"),
        ("a b#c.mp4#frame=30,60", 30, 60, "frame=30,60"), ("a.mp4#t=1:00:59.5,7200", 3659.5, 7200, "t=3659.5,7200"),
        ("a.mp4#frame=30.0,60", 30, 60, "frame=30,60"),
    ])
    func addresses(text: String, start: Double, end: Double, fragment: String) throws {
        let path = ClipPath(text)
        let segment = try #require(path.segment)
        #expect(segment.start == start && segment.end == end && segment.text == fragment)
        #expect(segment.unit == (text.contains("frame=") ? .frames : .seconds))
        #expect(text.hasPrefix(path.file + "#"))
        #expect(ClipPath(path.text) == path)
    }

    @Test(arguments: [
        "a.mp4", "a#1.mp4", "a.mp4#t=", "a.mp4#t=,", "a.mp4#t=1,2,3", "a.mp4#t=1,x", "a.mp4#t=nan,2", "a.mp4#t=1,inf", "a.mp4#x=1,2",
        "a.mp4#t=1:2:3:4,5", "a.mp4#t=1 ,2 ", "a.mp4#frame=1:2,5", "#", "", "a.mp4#t=5,-1",
        "a.mp4#t=0x1,2", "a.mp4#t=1:60:00,2", "a.mp4#t=1:60,2", "a.mp4#t=+1:00,2", "a.mp4#t=0,1e308", "a.mp4#frame=0,99999999999999999999",
        "a.mp4#frame=0.5,2",
    ])
    func whole(text: String) { #expect(ClipPath(text) == ClipPath(file: text)) }

    /// A file of such a name is that file.
    @Test func anExistingFileComesFirst() throws {
        let folder = try TestFolder()
        let path = try folder.write("a.mp4#t=1,2", text: "")
        #expect(ClipPath(path).segment == nil && ClipPath(path + "#t=3,4").file == path)
    }

    /// A malformed segment of a file that is there is not a missing file, in a table or anywhere else.
    @Test(arguments: ["#t=nan,1", "#t=", "#t=1,", "#T=1,2", "#t=0,1,2", "#t=1%2C2", "#x"]) func malformed(fragment: String) throws {
        let folder = try DataSetTests.folder(["a.mp4", "b.mp4"])
        let expected = "the file is there, but `\(fragment)` is no segment; expected #t=START,END in seconds, or #frame=START,END"
        for error in [
            failure { try ClipPath(checking: folder("a.mp4" + fragment)) },
            failure { try ClipInputs.clips(at: folder("a.mp4" + fragment)) },
        ] { #expect(error.kind == .badData && error.message.hasSuffix(expected), "\(error.message)") }
        try folder.write("t.csv", text: "path,label\na.mp4,x\n\"b.mp4\(fragment)\",y\n")
        let error = failure { try DataSet.open(folder("t.csv")) }
        #expect(error.kind == .badData && error.message.hasSuffix("t.csv: line 3: b.mp4\(fragment): " + expected), "\(error.message)")
        #expect(failure { try ClipInputs.clips(at: folder("c.mp4" + fragment)) }.kind == .missingInput)
    }

    private static func frames(_ segment: ClipSegment, _ times: FrameTimes) throws -> ClipFrames {
        try ClipFrames(ClipPath(file: "v.mp4", segment: segment), of: times)
    }

    /// Frame i of a constant rate begins at i / rate, whatever the rounding of decimal fractions.
    @Test(arguments: [
        (0.0, 1.0, 0..<25), (0.04, 0.08, 1..<2), (0.041, 0.08, 2..<2), (0.28, 0.32, 7..<8), (3.9, 4, 98..<100), (3.96, 4.03, 99..<100),
        (1.2, 1.25, 30..<32),
    ])
    func constantRate(start: Double, end: Double, range: Range<Int>) throws {
        let times = FrameTimes(count: 100, rate: 25)
        guard !range.isEmpty else {
            let error = failure { try ClipPathTests.frames(ClipSegment(start: start, end: end), times) }
            #expect(error.message.hasPrefix("v.mp4#t=0.041,0.08: the segment contains no frame"))
            return
        }
        let frames = try ClipPathTests.frames(ClipSegment(start: start, end: end), times)
        #expect(frames.range == range && frames.times == FrameTimes(count: range.count, rate: 25))
        #expect(frames.start == Double(range.lowerBound) / 25)
        #expect(
            try ClipPathTests.frames(ClipSegment(start: Double(range.lowerBound), end: Double(range.upperBound), unit: .frames), times)
                == frames)
    }

    /// A last frame that stands for long is shown until the segment's end.
    @Test func variableRate() throws {
        let times = FrameTimes(seconds: [0, 0.1, 0.2, 5, 5.5], duration: 6)
        let stands = try ClipPathTests.frames(ClipSegment(start: 0.05, end: 1), times)
        #expect(stands.range == 1..<3 && stands.start == 0.1)
        #expect(zip(stands.times.seconds ?? [], [0, 0.1]).allSatisfy { abs($0 - $1) <= 1e-12 } && stands.times.seconds?.count == 2)
        #expect(abs((stands.times.duration ?? .nan) - 0.9) <= 1e-12)
        let last = try ClipPathTests.frames(ClipSegment(start: 5, end: .infinity), times)
        #expect(last.range == 3..<5 && last.times == FrameTimes(seconds: [0, 0.5], duration: 1))
        #expect(failure { try ClipPathTests.frames(ClipSegment(start: 1, end: 4), times) }.message.contains("contains no frame"))
        #expect(try ClipPathTests.frames(ClipSegment(start: 0, end: 5, unit: .frames), times).times == times)
    }

    @Test(arguments: [
        (ClipSegment(start: 5, end: 6), "starts at 5, but v.mp4 ends at 4 seconds"),
        (ClipSegment(start: 4, end: 6), "starts at 4, but v.mp4 ends at 4 seconds"),
        (ClipSegment(start: 1, end: 4.1), "ends at 4.1, but v.mp4 ends at 4 seconds; set its end to 4"),
        (ClipSegment(start: 2, end: 2), "is empty: it starts and ends at 2"),
        (ClipSegment(start: 2, end: 1), "ends at 1, before it starts at 2"),
        (ClipSegment(start: -1, end: 1), "starts at -1"),
        (ClipSegment(start: 100, end: 120, unit: .frames), "starts at 100, but v.mp4 ends at 100 frames"),
        (ClipSegment(start: 10, end: 120, unit: .frames), "ends at 120, but v.mp4 ends at 100 frames"),
        (ClipSegment(start: 10.5, end: 12, unit: .frames), "whole numbers"),
    ])
    func faults(segment: ClipSegment, message: String) {
        let error = failure { try ClipPathTests.frames(segment, FrameTimes(count: 100, rate: 25)) }
        #expect(error.kind == .badData && error.message.contains(message), "\(error.message)")
        #expect(error.message.hasPrefix("v.mp4#\(segment.text): "))
    }

    @Test func anUnknownRateKnowsNoSeconds() throws {
        let times = FrameTimes(count: 100, rate: 0)
        let error = failure { try ClipPathTests.frames(ClipSegment(start: 0, end: 1), times) }
        #expect(error.message.contains("its frame rate is not known") && error.message.contains("v.mp4#frame=0,100"))
        #expect(try ClipPathTests.frames(ClipSegment(start: 90, end: 101, unit: .frames), times).range == 90..<100)
    }
}
