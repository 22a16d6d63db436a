import json, random, itertools
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from tests.actors import World, api, box, claim, save, make_world, add
from tests.review_world import compare, label_both
from review.models import Dispute, Lot
from annotator.models import *
pytestmark = pytest.mark.django_db
WEIRD=[None, True, 0, -1, 2**31, 2**63, 10**30, 1.5, 1e308, "", "x", "²", "\u202e", "a"*5000, [], [[]], [None], [{}], {}, {"a":1}, {"a":{"b":[1]}}, ["x"], [1], "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", {"type":"x"}, ["x"]*1000, -0.0, "1e-99999999", "/../../etc", "a\nb", "😀"]
def post(c,m,p,d):
    return c.generic(m,p,json.dumps(d),content_type="application/json",headers={"Idempotency-Key":"k"+str(random.random())})
def test_fuzz(db):
    random.seed(7)
    w=make_world(check={"share":1.0})
    Member.objects.filter(account=w.lead).update(roles=["lead","expert","checker","importer"])
    Member.objects.filter(account=w.ann1).update(roles=["annotator"])
    for _ in range(4): w.item()
    label_both(w,[(10,10,60,60)],[])
    label_both(w,[(10,10,60,60)],[(10,10,60,60)])
    compare()
    seat=claim(w,w.expert,"arbitrate"); d=Dispute.objects.get()
    chk=claim(w,w.checker,"check")
    lab=claim(w,w.ann1)
    b=f"/api/projects/{w.project.public_id}"
    diff=d.differences.first().public_id
    asset=lab.task.item.item_assets.get().asset.public_id
    eps=[
     (w.ann1,"POST",f"{b}/claims",dict(stage="label",ahead=False)),
     (w.ann1,"POST",f"/api/assignments/{lab.public_id}/revisions",dict(token=lab.token,if_revision=0,changes=[add(box(asset,1,1,9,9))],parts={},active_ms=1,digest=None)),
     (w.ann1,"POST",f"/api/assignments/{lab.public_id}/skip",dict(token="no",reason="x")),
     (w.ann1,"POST",f"/api/assignments/{lab.public_id}/return-request",dict(reason="x")),
     (w.ann1,"POST","/api/assist",dict(assignment=lab.public_id,asset=asset,tool="grow",x=1,y=1,tolerance=3)),
     (w.expert,"POST",f"/api/disputes/{d.public_id}/verdict",dict(token="no",decisions=[{"difference":diff,"choice":"edit","region":box(asset,1,1,9,9)}],reason_code="",active_ms=1,parts={})),
     (w.expert,"POST",f"/api/disputes/{d.public_id}/return",dict(token="no",seats=["A"],error_type="missed",marks=[{"text":"x"}],active_ms=1)),
     (w.checker,"POST",f"/api/checks/{chk.public_id}/outcome",dict(token="no",outcome="return",error_type="missed",marks=[{"text":"x","region":"r"}],active_ms=1,if_revision=0)),
     (w.lead,"POST",f"{b}/lots",dict(name="x",share="0.1",quality="0.9",schema=None,way=None,plan="fixed_fraction.v1")),
     (w.lead,"POST",f"{b}/members",dict(username="stranger",roles=["viewer"],team="t")),
     (w.lead,"POST",f"{b}/invitations",dict(role="viewer",roles=["viewer"],hours=3)),
     (w.lead,"PATCH",f"{b}/members/{w.viewer.public_id}",dict(roles=["viewer"],team="")),
     (w.lead,"PATCH",b,dict(title="x",description="",paused=False,workflow={"slots":2,"compare":{"iou":0.5},"check":{"share":1},"add_person":{"max":3},"shown_fields":["a"]})),
     (w.lead,"POST",f"{b}/batches",dict(name="n",kind="normal",priority=1,paused=False,deadline="2030-01-01T00:00:00+00:00",teams=["t"])),
     (w.lead,"PATCH",f"/api/batches/{w.batch.public_id}",dict(name="n2",kind="normal",priority=1,paused=False,deadline="2030-01-01T00:00:00+00:00",teams=["t"])),
     (w.lead,"POST",f"{b}/items/bulk",dict(ids=["i_x"],action="priority",value=3)),
     (w.lead,"POST",f"{b}/items/bulk",dict(filter={"state":"ready","tag":"x"},action="tag",value="x")),
     (w.lead,"POST",f"{b}/items/views",dict(name="x",filter={"tag":"x"},sort="order")),
     (w.lead,"POST",f"{b}/releases",dict(name="x",formats=["jsonl.v1"])),
     (w.lead,"POST",f"{b}/rules",dict(rule="blob.v1",name="x",params={"label":"coin"})),
     (w.lead,"POST",f"{b}/models",dict(kind="boxes",control=None)),
     (w.lead,"POST",f"{b}/assets",dict(name="x.png",size=3,sha256="0"*64)),
     (w.lead,"POST",f"{b}/schema-versions",dict(document=w.schema.document,mapping={"labels":{"coin":"c"}},if_version=1)),
     (w.lead,"POST",f"{b}/schema-versions/preview",dict(document=w.schema.document,mapping={"labels":{"coin":"c"}},if_version=1)),
     (w.ann1,"PATCH","/api/session",dict(name="x",language="en",theme="dark",keys={"a":"b"})),
     (w.ann1,"POST","/api/tokens",dict(label="x",days=3)),
     (None,"POST","/api/session",dict(username="x",password="y")),
    ]
    bad=set(); n=0
    def paths(v,p=()):
        yield p
        if isinstance(v,dict):
            for k in v: yield from paths(v[k],p+(k,))
        elif isinstance(v,list):
            for i in range(len(v)): yield from paths(v[i],p+(i,))
    def put(v,p,x):
        if not p: return x
        v=json.loads(json.dumps(v)); t=v
        for k in p[:-1]: t=t[k]
        t[p[-1]]=x
        return v
    for who,m,u,body in eps:
        c=api(who); c.raise_request_exception=False
        todo=[(p,x) for p in paths(body) for x in WEIRD]
        random.shuffle(todo)
        for p,x in todo[:70 if len(todo)>70 else len(todo)]:
            n+=1
            r=post(c,m,u,put(body,p,x))
            if r.status_code>=500 and r.status_code!=503: bad.add((u.split('/')[-1],str(p),repr(x)[:40]))
    print(n, "requests"); 
    for z in sorted(bad): print("BAD",z)
    assert not bad
