//! Verdicts that Azure gives apart from the resource they are about: whether what a policy assignment holds for complies.

use crate::ident::ArmId;
use serde_json::Value;

/// How Azure is asked whether what a resource makes elsewhere is as it says, where the resource's own body does not tell.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    /// The API version of every request here.
    pub api_version: &'static str,
    /// Under which id an observation keeps the verdict.
    pub id: fn(&ArmId) -> ArmId,
    /// The path of a POST that answers the verdict and changes nothing.
    pub verdict: fn(&ArmId) -> String,
    /// What such an answer says of the resource.
    pub tells: fn(&ArmId, &Value) -> Verdict,
    /// The path of a POST that has Azure judge anew, and whose operation ends once it has.
    pub judge: fn(&ArmId) -> Option<String>,
    /// Who may send that: for help.
    pub judge_needs: &'static str,
    /// The path of a POST that answers what is not as it should be, and changes nothing.
    pub offenders: fn(&ArmId) -> String,
    /// The query of that.
    pub offenders_query: &'static [(&'static str, &'static str)],
    /// What such an answer names, in words.
    pub names: fn(&ArmId, &Value) -> Vec<String>,
    /// Where the body says when it was written last; the first that says anything counts. JSON pointers.
    pub written: &'static [&'static str],
    /// After how many hours without a verdict there is nothing to judge.
    pub hours: u64,
}

/// What Azure says of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Azure has not judged it, or there is nothing that it holds for.
    None,
    /// All is as it says.
    Complies,
    /// What is not.
    Amiss(String),
}

impl Judged {
    /// When the resource was written last, as Azure writes times.
    pub fn written_at<'b>(&self, body: &'b Value) -> Option<&'b str> {
        self.written.iter().find_map(|pointer| body.pointer(pointer)?.as_str())
    }

    /// Why a resource does not comply, from an answer.
    pub fn amiss(&self, id: &ArmId, answer: &Value) -> Option<String> {
        match (self.tells)(id, answer) {
            Verdict::None => Some("Azure has not judged it yet".to_owned()),
            Verdict::Complies => None,
            Verdict::Amiss(why) => Some(why),
        }
    }
}
