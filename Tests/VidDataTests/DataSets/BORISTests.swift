import Testing
import VidData
import VidSystem
import VidTestSupport

/// Exports of BORIS, with the columns that its versions write.
@Suite struct BORISTests {
    /// The columns of aggregated events of BORIS 9 and 10.
    private static let aggregated = """
        Observation id,Observation date,Description,Observation type,Source,Time offset (s),Coding duration,Media duration (s),FPS (frame/s),\
        weather,Subject,Observation duration by subject by observation,Behavior,Behavioral category,Modifier #1,Behavior type,Start (s),\
        Stop (s),Duration (s),Media file name,Image index start,Image index stop,Image file path start,Image file path stop,Comment start,\
        Comment stop

        """

    private static func row(
        _ behavior: String, _ start: String, _ stop: String, type: String = "STATE", subject: String = "cow", media: String = "v1.mp4",
        source: String = "player #1:v1.mp4", durations: String = "20.000", offset: String = "0.0", modifier: String = "None"
    ) -> String {
        "obs 1,2024-01-01 10:00:00,,Media file,\(source),\(offset),30.000,\(durations),25.000,sun,\(subject),9.0,\(behavior),Not defined,"
            + "\(modifier),\(type),\(start),\(stop),1,\(media),NA,NA,,,,\n"
    }

    private static func folder(_ text: String) throws -> TestFolder {
        let folder = try DataSetTests.folder(["v1.mp4", "v2.mp4"])
        try folder.write("b.csv", text: text)
        return folder
    }

    @Test func aggregatedEvents() throws {
        let folder = try BORISTests.folder(
            BORISTests.aggregated
                + BORISTests.row("eat", "1.500", "4.250", media: #"C:\Users\me\v1.mp4"#)
                + BORISTests.row("eat", "1.500", "4.250", subject: "No focal subject", modifier: "grass")
                + BORISTests.row("bite", "5.000", "5.000", type: "POINT")
                + BORISTests.row("walk", "6.000", "9.000") + BORISTests.row("walk", "0.000", "3.000", media: "/elsewhere/v2.mp4"))
        let data = try TableFormsTests.open(folder, "b.csv")
        #expect(
            TableFormsTests.lines(data) == ["v1.mp4#t=1.5,4.25 eat train", "v1.mp4#t=6,9 walk train", "v2.mp4#t=0,3 walk train"])
        #expect(data.findings.form?.text == "BORIS aggregated events")
        #expect(
            data.findings.notes == [
                "left out 1 POINT event, which has no duration, for example in line 4",
                "events of 2 subjects (\"No focal subject\", \"cow\"); labels are behaviors alone", "labels are without modifiers",
                "1 event with the behavior and times of another counts once",
                "2 media files were found by their name alone, for example v1.mp4",
            ])
    }

    /// Files of one observation play one after the other, and its times include its offset.
    @Test func severalMediaFiles() throws {
        let (source, durations) = ("player #1:v1.mp4;v2.mp4|player #2:v3.mp4", "20.000;10.000|30.000")
        func row(_ behavior: String, _ start: String, _ stop: String) -> String {
            BORISTests.row(behavior, start, stop, source: source, durations: durations, offset: "100.0")
        }
        let folder = try BORISTests.folder(
            (BORISTests.aggregated + row("eat", "101.5", "104.25") + row("walk", "118", "125.1") + row("eat", "126.3", "130"))
                .replacing(",", with: "\t"))
        let data = try TableFormsTests.open(folder, "b.csv")
        #expect(
            data.entries.map(\.id) == ["v1.mp4#t=1.5,4.25", "v1.mp4#t=18,20", "v2.mp4#t=0,5.1", "v2.mp4#t=6.3,10"])
        #expect(data.findings.form?.text == "BORIS aggregated events, separated by tabs")
        let early = try BORISTests.folder(BORISTests.aggregated + BORISTests.row("eat", "1", "2", offset: "3"))
        #expect(failure { try DataSet.open(early("b.csv")) }.message.contains("line 2: the event begins before its media file, at -2.0 s"))
        let unknown = try BORISTests.folder(BORISTests.aggregated + BORISTests.row("eat", "1", "2", source: source, durations: "NA"))
        #expect(failure { try DataSet.open(unknown("b.csv")) }.message.contains("line 2: the observation has several media files"))
    }

    /// Tabular events of BORIS 9 and 10.
    @Test func tabularEvents() throws {
        let head = """
            Observation id,Observation date,Description,Observation duration,Observation type,Source,Time offset (s),Media duration (s),FPS,\
            Subject,Behavior,Behavioral category,Behavior type,Time,Media file name,Image index,Image file path,Comment

            """
        func row(_ subject: String, _ behavior: String, _ type: String, _ time: String) -> String {
            "o,2024-01-01 10:00:00,,9.0,Media file(s),player #1:v1.mp4,0.0,20.000,25.000,\(subject),\(behavior),,\(type),\(time),v1.mp4,NA,NA,\n"
        }
        let rows = [
            row("a", "walk", "START", "1.0"), row("b", "walk", "START", "1.5"), row("a", "bite", "POINT", "2.0"),
            row("a", "walk", "STOP", "3.0"), row("b", "walk", "STOP", "4.0"), row("a", "eat", "START", "4.0"),
            row("a", "eat", "STOP", "6.125"),
        ]
        let folder = try BORISTests.folder(head + rows.joined())
        let data = try TableFormsTests.open(folder, "b.csv")
        #expect(
            TableFormsTests.lines(data) == ["v1.mp4#t=1,3 walk train", "v1.mp4#t=1.5,4 walk train", "v1.mp4#t=4,6.125 eat train"])
        #expect(data.findings.form?.text == "BORIS tabular events, START and STOP")
        for (rows, message) in [
            (Array(rows.dropLast()), "line 7: START of \"eat\" without its STOP"),
            (Array(rows.dropFirst()), "line 4: STOP of \"walk\" without its START"),
            ([rows[0], rows[0]], "line 2: START of \"walk\" without its STOP"),
            ([row("a", "walk", "START", "nan"), rows[3]], "line 2: Time: expected seconds (at most 10^9) or HH:MM:SS.mmm, found \"nan\""),
            ([rows[0], row("a", "walk", "STOP", "-1")], "line 3: Time: expected seconds (at most 10^9) or HH:MM:SS.mmm, found \"-1\""),
            ([row("a", "walk", "STATE", "1")], "line 2: expected START, STOP or POINT, found \"STATE\""),
            ([rows[0].replacing("v1.mp4,NA", with: "Not found,NA"), rows[3]], "line 2: the event has no media file (\"Not found\")"),
        ] {
            let folder = try BORISTests.folder(head + rows.joined())
            let error = failure { try DataSet.open(folder("b.csv")) }
            #expect(error.kind == .badData && error.message.hasSuffix(message), "\(error.message)")
        }
    }

    /// Tabular events up to BORIS 8.9: lines about the observation stand before the header.
    @Test func olderTabularEvents() throws {
        let lines = [
            "Observation id,obs 1", "", "Media file(s)", "", "Player #1,v1.mp4", "", "Observation date,2020-01-01 10:00:00", "",
            "Description,\"cows, in the\nmorning\"", "", "Time offset (s),10.0", "", "independent variables", "variable,value",
            "weather,sun", "",
            "Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Modifier 1,Comment,Status",
            "11.0,v1.mp4,20.0,25.0,,walk,,,,START", "11.5,v1.mp4,20.0,25.0,,bite,,,,POINT", "13.25,v1.mp4,20.0,25.0,,walk,,,,STOP",
            "13.25,v1.mp4,20.0,25.0,,eat,,,,START", "17,v1.mp4,20.0,25.0,,eat,,,,STOP",
        ]
        func text(_ lines: [String]) -> String {
            lines.map {
                $0 + String(repeating: ",", count: max(0, 9 - $0.split(separator: ",", omittingEmptySubsequences: false).count + 1))
            }
            .joined(separator: "\r\n") + "\r\n"
        }
        let folder = try BORISTests.folder(text(lines))
        let data = try TableFormsTests.open(folder, "b.csv")
        #expect(TableFormsTests.lines(data) == ["v1.mp4#t=1,3.25 walk train", "v1.mp4#t=3.25,7 eat train"])
        let open = try BORISTests.folder(text(lines.dropLast()))
        #expect(failure { try DataSet.open(open("b.csv")) }.message.hasSuffix("line 22: START of \"eat\" without its STOP"))
        let several = try BORISTests.folder(
            text(lines).replacing("17,v1.mp4", with: "17,v2.mp4").replacing(
                "13.25,v1.mp4,20.0,25.0,,eat", with: "13.25,v2.mp4,20.0,25.0,,eat"))
        #expect(failure { try DataSet.open(several("b.csv")) }.message.contains("line 22: the observation has several media files"))
    }

    @Test func exportsWithoutMedia() throws {
        let folder = try BORISTests.folder("Observation id,Behavior,Start (s),Stop (s)\nobs 1,eat,1,2\n")
        #expect(failure { try DataSet.open(folder("b.csv")) }.message.contains("line 1: the BORIS export names no media files"))
    }
}
