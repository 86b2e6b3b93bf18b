import Testing
import VidReport
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

@Suite struct PredictionsFileTests {
    @Test func scoresReadBackExactly() throws {
        let folder = try TestFolder()
        let path = folder.path + "/predictions.csv"
        let clips = [
            ClipScores(clip: "a, \"b\"\n.mp4", label: 1, scores: [0.1, 0.9]), ClipScores(clip: "c.mp4", label: 0, scores: [1 / 3, 2 / 3]),
        ]
        try PredictionsFile.write(Evaluation(classes: ["x,y", "z"], clips: clips, losses: [0, 0]), to: path)
        let (classes, read) = try PredictionsFile.read(path)
        #expect(classes == ["x,y", "z"])
        #expect(read.map(\.clip) == clips.map(\.clip))
        #expect(read.map(\.label) == clips.map(\.label))
        #expect(read.map(\.scores) == clips.map(\.scores))
    }

    @Test(arguments: [
        "clip,label\na,b\n", "clip,label,prediction,confidence,score/x\na,y,x,1,1\n",
        "clip,label,prediction,confidence,score/x\na,x,x,1,2\n",
        "clip,label,prediction,confidence,score/x\na,x,x,1,nan\n",
    ])
    func whatIsNoTableOfPredictionsIsRefused(_ text: String) throws {
        let folder = try TestFolder()
        let path = folder.path + "/predictions.csv"
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
        let error = #expect(throws: VidclassError.self) { _ = try PredictionsFile.read(path) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains("line ") == true)
    }
}
